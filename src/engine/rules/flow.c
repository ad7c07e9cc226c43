/* The life of one job, as a pure state machine: see flow.h. */
#include "flow.h"

static FlowAction nothing(void) {
  return (FlowAction){.what = FLOW_DO_NOTHING};
}

static FlowAction end(Flow *flow, FlowEnd how) {
  flow->state = FLOW_ENDED;
  return (FlowAction){.what = FLOW_DO_END, .end = how};
}

/* Waits in `state` until `at`, but never past the deadline. */
static FlowAction rest(Flow *flow, FlowState state, double at) {
  flow->state = state;
  return (FlowAction){.what = FLOW_DO_REST,
                      .at = at < flow->deadline ? at : flow->deadline,
                      .retry = flow->failures > 0};
}

/* Only where the service is said to honour keys all creates make one job. */
static FlowAction create(Flow *flow) {
  bool distinct = flow->settings->retry != RETRY_IDEMPOTENT;
  flow->earlier_doubt = distinct && flow->doubt;
  flow->earlier_risk = distinct && flow->risked;
  flow->state = FLOW_CREATING;
  flow->attempts++;
  return (FlowAction){.what = FLOW_DO_CREATE};
}

static FlowAction poll(Flow *flow) {
  flow->state = FLOW_POLLING;
  flow->polls++;
  return (FlowAction){.what = FLOW_DO_POLL};
}

void flow_init(Flow *flow, FlowMode mode, const FlowSettings *settings,
               RetryQuota *quota, bool repeated, double deadline) {
  *flow = (Flow){.mode = mode,
                 .settings = settings,
                 .quota = quota,
                 .repeated = repeated,
                 .deadline = deadline};
}

FlowAction flow_start(Flow *flow, double now) {
  if (flow->state != FLOW_QUEUED)
    return nothing();
  if (now >= flow->deadline)
    return end(flow, FLOW_END_TIMEOUT);
  if (flow->mode == FLOW_POLL_ONCE || flow->mode == FLOW_RESUME) {
    flow->created = now;
    return poll(flow);
  }
  if (!flow->check)
    return create(flow);
  flow->state = FLOW_CHECKING;
  return (FlowAction){.what = FLOW_DO_CHECK};
}

FlowAction flow_on_checked(Flow *flow, bool usable, double now) {
  if (flow->state != FLOW_CHECKING)
    return nothing();
  if (!usable)
    return end(flow, FLOW_END_REFERENCE);
  if (now >= flow->deadline)
    return end(flow, FLOW_END_TIMEOUT);
  return create(flow);
}

/* The rest before a poll.  One that would come after the deadline, or too late
 * to be answered, is sent a little before it instead: nobody is told that a job
 * was not done in time who has not just looked. */
static FlowAction rest_for_poll(Flow *flow, double pause, double now) {
  double last = flow->deadline - policy_last_look(flow->pause);
  if (now + pause > last)
    return rest(flow, FLOW_RESTING, now < last ? last : flow->deadline);
  return rest(flow, FLOW_RESTING, now + pause);
}

/* The pause before the next poll; a server's wish replaces the schedule. */
static FlowAction rest_before_poll(Flow *flow, double wish, double now,
                                   double random) {
  double pause = policy_poll_pause(&flow->settings->poll, now - flow->created,
                                   &flow->pause, random);
  if (wish >= 0)
    pause = policy_clamp_retry_after(wish);
  return rest_for_poll(flow, pause, now);
}

/* The service has the job, or says so; `created` is set for nothing else. */
static FlowAction accept(Flow *flow, const Reply *reply, double now,
                         double random) {
  policy_return_retry(flow->quota);
  flow->created = now;
  flow->failures = 0;
  if (flow->cancelled)
    return end(flow, FLOW_END_CANCELLED);
  if (!reply->named)
    return end(flow, FLOW_END_UNUSABLE);
  if (reply->says == SAYS_SUCCEEDED)
    return end(flow, FLOW_END_SUCCEEDED);
  if (reply->says == SAYS_FAILED)
    return end(flow, FLOW_END_FAILURE);
  if (flow->mode == FLOW_CREATE_ONLY)
    return end(flow, FLOW_END_ACCEPTED);
  return rest_before_poll(flow, reply->retry_after, now, random);
}

/* No further create: `outcome` is the last one's. */
static FlowAction end_create(Flow *flow, const Reply *reply,
                             CreateOutcome outcome, double now, double random) {
  if (reply->partial)
    return accept(flow, reply, now, random);
  if (outcome == CREATE_REFUSED)
    return end(flow, FLOW_END_REFUSED);
  /* An earlier create may have been paid although this one never left. */
  return end(flow, outcome == CREATE_LOST || flow->doubt ? FLOW_END_LOST
                                                         : FLOW_END_FAILED);
}

/* Seconds to wait before the next create; what the server asks is a floor. */
static double create_pause(const Flow *flow, const Reply *reply,
                           double random) {
  double pause = policy_backoff(flow->failures, random);
  return reply->retry_after > pause ? reply->retry_after : pause;
}

/* Waits for another create, or ends now when none fits. */
static FlowAction back_off(Flow *flow, const Reply *reply,
                           CreateOutcome outcome, double now, double random) {
  double at;
  flow->failures++;
  at = now + create_pause(flow, reply, random);
  if (flow->cancelled)
    return end(flow, FLOW_END_CANCELLED);
  if (now >= flow->deadline && outcome != CREATE_REFUSED && !reply->partial)
    return end(flow, flow->doubt ? FLOW_END_LOST : FLOW_END_TIMEOUT);
  if (at >= flow->deadline || reply->retry_after > POLICY_PATIENCE)
    return end_create(flow, reply, outcome, now, random);
  flow->repeated = flow->repeated || reply->kind != REPLY_NOT_SENT;
  return rest(flow, FLOW_BACKING_OFF, at);
}

static bool may_repeat(Flow *flow, const Reply *reply) {
  return flow->attempts < flow->settings->max_attempts &&
         policy_may_repeat(reply, flow->settings->retry, flow->repeated) &&
         policy_take_retry(flow->quota, reply->timed_out);
}

/* Over for one whose create waits for this side: nothing more was sent. */
static FlowAction end_held(Flow *flow) {
  return end(flow, flow->doubt ? FLOW_END_TIMEOUT : FLOW_END_FAILED);
}

/* The create was kept back: it was no attempt. */
static FlowAction hold(Flow *flow, double now) {
  flow->attempts--;
  if (flow->cancelled)
    return end(flow, FLOW_END_CANCELLED);
  if (now >= flow->deadline)
    return end_held(flow);
  flow->state = FLOW_HELD;
  return (FlowAction){
      .what = FLOW_DO_REST, .at = flow->deadline, .retry = true};
}

static FlowAction on_created(Flow *flow, const Reply *reply, double now,
                             double random) {
  CreateOutcome outcome = policy_create_outcome(reply);
  if (reply->kind == REPLY_HELD)
    return hold(flow, now);
  if (reply->kind == REPLY_ANSWERED || reply->kind == REPLY_LOST)
    flow->sent = true;
  flow->risked = flow->risked || policy_leaves_doubt(reply);
  flow->doubt = flow->doubt || flow->risked;
  /* The beginning of an answer may hold the id; asking again is better only
   * where the service is sure to give the same answer. */
  if (outcome == CREATE_ACCEPTED ||
      (reply->partial && flow->settings->retry != RETRY_IDEMPOTENT))
    return accept(flow, reply, now, random);
  if (may_repeat(flow, reply))
    return back_off(flow, reply, outcome, now, random);
  return end_create(flow, reply, outcome, now, random);
}

/* After trouble: the schedule's pause or the backoff, whichever is longer. */
static FlowAction rest_after_trouble(Flow *flow, double wish, double now,
                                     double random) {
  double pause = policy_poll_pause(&flow->settings->poll, now - flow->created,
                                   &flow->pause, random);
  double backoff = policy_backoff(++flow->failures, random);
  if (pause < backoff)
    pause = backoff;
  if (wish >= 0 && pause < policy_clamp_retry_after(wish))
    pause = policy_clamp_retry_after(wish);
  if (wish >= 0) /* it has too much to do: no look before its time */
    return rest(flow, FLOW_RESTING, now + pause);
  return rest_for_poll(flow, pause, now);
}

/* A final answer that cannot be used ends the job when it comes this often in
 * a row. */
#define UNUSABLE_REPLIES_MAX 3

/* It said nothing about the job that could be used. */
static FlowAction ask_again(Flow *flow, const Reply *reply, double now,
                            double random) {
  FlowAction action;
  if (flow->mode == FLOW_POLL_ONCE)
    return end(flow, FLOW_END_UNUSABLE);
  action = rest_before_poll(flow, reply->retry_after, now, random);
  action.retry = action.unusable = reply->says != SAYS_STRANGE;
  return action;
}

/* A bare "error" may mean this answer alone: a paid job is not given up for it
 * before it was said three times in a row. */
static bool is_passing(Flow *flow) {
  return flow->mode != FLOW_POLL_ONCE &&
         ++flow->unusable_replies < UNUSABLE_REPLIES_MAX;
}

static FlowAction go_on(Flow *flow, const Reply *reply, double now,
                        double random) {
  flow->unusable_replies = 0;
  if (flow->mode == FLOW_POLL_ONCE)
    return end(flow, FLOW_END_ACCEPTED);
  return rest_before_poll(flow, reply->retry_after, now, random);
}

/* What the body says counts, whatever 2xx it came with. */
static FlowAction read_polled(Flow *flow, const Reply *reply, double now,
                              double random) {
  flow->failures = 0;
  switch (reply->says) {
  case SAYS_SUCCEEDED:
    return end(flow, FLOW_END_SUCCEEDED);
  case SAYS_FAILED:
    return end(flow, FLOW_END_FAILURE);
  case SAYS_TROUBLE:
    return is_passing(flow) ? ask_again(flow, reply, now, random)
                            : end(flow, FLOW_END_FAILURE);
  case SAYS_EMPTY:
    return ++flow->unusable_replies < UNUSABLE_REPLIES_MAX
               ? ask_again(flow, reply, now, random)
               : end(flow, FLOW_END_UNUSABLE);
  case SAYS_WAITING:
    return go_on(flow, reply, now, random);
  case SAYS_STRANGE:
  case SAYS_NOTHING:
    break;
  }
  return ask_again(flow, reply, now, random);
}

/* A 202 says that the job goes on, whatever its body is. */
static FlowAction wait_on(Flow *flow, const Reply *reply, double now,
                          double random) {
  flow->failures = 0;
  if (flow->mode == FLOW_POLL_ONCE || reply->says == SAYS_WAITING)
    return read_polled(flow, reply, now, random);
  return rest_before_poll(flow, reply->retry_after, now, random);
}

static FlowAction on_polled(Flow *flow, const Reply *reply, double now,
                            double random) {
  bool missing = reply->kind == REPLY_ANSWERED && reply->status == 404;
  PollDecision decision;
  flow->missing = missing ? flow->missing + 1 : 0;
  decision = policy_on_poll(reply, flow->missing);
  if (flow->mode == FLOW_POLL_ONCE && decision != POLL_READ &&
      decision != POLL_WAIT)
    return end(flow, reply->kind == REPLY_ANSWERED ? FLOW_END_REFUSED
                                                   : FLOW_END_FAILED);
  switch (decision) {
  case POLL_READ:
    return read_polled(flow, reply, now, random);
  case POLL_WAIT:
    return wait_on(flow, reply, now, random);
  case POLL_RETRY:
    return rest_after_trouble(flow, reply->retry_after, now, random);
  case POLL_REFUSED:
    break;
  }
  return end(flow, FLOW_END_REFUSED);
}

FlowAction flow_on_reply(Flow *flow, const Reply *reply, double now,
                         double random) {
  if (flow->state == FLOW_CREATING)
    return on_created(flow, reply, now, random);
  if (flow->state == FLOW_POLLING)
    return on_polled(flow, reply, now, random);
  return nothing();
}

FlowAction flow_on_timer(Flow *flow, double now) {
  bool late = now >= flow->deadline;
  switch (flow->state) {
  case FLOW_HELD:
    return late ? end_held(flow) : nothing();
  case FLOW_BACKING_OFF:
    return late ? end(flow, FLOW_END_TIMEOUT) : create(flow);
  case FLOW_RESTING:
    return late ? end(flow, FLOW_END_TIMEOUT) : poll(flow);
  case FLOW_QUEUED:
  case FLOW_CHECKING:
    return late ? end(flow, FLOW_END_TIMEOUT) : nothing();
  case FLOW_CREATING:
  case FLOW_POLLING:
  case FLOW_ENDED:
    break;
  }
  return nothing();
}

void flow_not_begun(Flow *flow, bool create) {
  unsigned *count = create ? &flow->attempts : &flow->polls;
  --*count;
}

FlowAction flow_on_overdue(Flow *flow) {
  if (flow->state != FLOW_CREATING && flow->state != FLOW_POLLING)
    return nothing();
  flow_not_begun(flow, flow->state == FLOW_CREATING);
  return end(flow, FLOW_END_TIMEOUT);
}

FlowAction flow_on_ready(Flow *flow, double now) {
  if (flow->state != FLOW_HELD)
    return nothing();
  return now >= flow->deadline ? end_held(flow) : create(flow);
}

FlowAction flow_on_cancel(Flow *flow, bool gone) {
  if (flow->state == FLOW_ENDED)
    return nothing();
  if (flow->state == FLOW_CREATING && gone) {
    flow->cancelled = true;
    return nothing();
  }
  return end(flow, FLOW_END_CANCELLED);
}
