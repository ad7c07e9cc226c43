/*
 * The life of one job in its states, what it is told there, and looking at what
 * it does then.
 */
#ifndef GPTIMAGE2_C_ONE_FLOW_H
#define GPTIMAGE2_C_ONE_FLOW_H

#include "check.h"

#include "engine/rules/flow.h"

#include <math.h>

static const FlowSettings safe = {
    .retry = RETRY_SAFE, .max_attempts = 3, .poll = {2.0, 2.5, 5.0}};
static const FlowSettings settings = {
    .retry = RETRY_DOCUMENTED, .max_attempts = 3, .poll = {2.0, 2.5, 5.0}};
static const FlowSettings idempotent = {
    .retry = RETRY_IDEMPOTENT, .max_attempts = 3, .poll = {2.0, 2.5, 5.0}};

static RetryQuota quota;

static const Reply lost = {.kind = REPLY_LOST, .retry_after = -1};
static const Reply not_sent = {.kind = REPLY_NOT_SENT, .retry_after = -1};
static const Reply held = {.kind = REPLY_HELD, .retry_after = -1};
static const Reply hopeless = {.kind = REPLY_HOPELESS, .retry_after = -1};

static inline Reply answer(int status) {
  return (Reply){.kind = REPLY_ANSWERED, .status = status, .retry_after = -1};
}

/* With a body that says so, and has an id. */
static inline Reply said(int status, ReplySays says) {
  Reply reply = answer(status);
  reply.says = says;
  reply.named = true;
  return reply;
}

static inline Reply wish(int status, double retry_after) {
  Reply reply = answer(status);
  reply.retry_after = retry_after;
  return reply;
}

/* A flow in FLOW_QUEUED with a fresh key and the deadline 100. */
static inline Flow new_flow(FlowMode mode, const FlowSettings *chosen) {
  Flow flow;
  quota = RETRY_QUOTA_FULL;
  flow_init(&flow, mode, chosen, &quota, false, 100);
  return flow;
}

static inline bool is_near(double a, double b) {
  return fabs(a - b) < 1e-6;
}

/* With the random number 0.5 polls have no jitter, backoffs are 3/4 d. */
static inline FlowAction reply_with(Flow *flow, Reply reply, double now) {
  return flow_on_reply(flow, &reply, now, 0.5);
}

static inline void assert_do(FlowAction action, FlowDo what) {
  assert_int_equal(action.what, what);
}

static inline void assert_end(const Flow *flow, FlowAction action,
                              FlowEnd end) {
  assert_int_equal(action.what, FLOW_DO_END);
  assert_int_equal(action.end, end);
  assert_int_equal(flow->state, FLOW_ENDED);
}

static inline void assert_rest(FlowAction action, double at, bool retry) {
  assert_int_equal(action.what, FLOW_DO_REST);
  check(is_near(action.at, at), "rests until %f, not %f", action.at, at);
  assert_int_equal(action.retry, retry);
}

/* A flow of mode GENERATE, without references, in one of its states, at time
 * 0 and with the deadline 100. */
static inline Flow flow_in(FlowState wanted) {
  Flow flow = new_flow(FLOW_GENERATE, &settings);
  flow.check = wanted == FLOW_CHECKING;
  if (wanted == FLOW_QUEUED)
    return flow;
  flow_start(&flow, 0);
  if (wanted == FLOW_HELD)
    reply_with(&flow, held, 0);
  if (wanted == FLOW_BACKING_OFF)
    reply_with(&flow, not_sent, 0);
  if (wanted == FLOW_ENDED)
    reply_with(&flow, lost, 0);
  if (wanted == FLOW_RESTING || wanted == FLOW_POLLING)
    reply_with(&flow, said(200, SAYS_WAITING), 0);
  if (wanted == FLOW_POLLING)
    flow_on_timer(&flow, 2);
  assert_int_equal(flow.state, wanted);
  return flow;
}

#endif
