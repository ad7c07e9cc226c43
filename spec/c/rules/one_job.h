/*
 * The life of one job in its states, what it is told there, and looking at what
 * it does then.
 */
#ifndef GPTIMAGE2_C_ONE_JOB_H
#define GPTIMAGE2_C_ONE_JOB_H

#include "check.h"

#include "engine/rules/job_state.h"

#include <math.h>

static const JobRules safe = {
    .retry = RETRY_SAFE, .max_attempts = 3, .poll = {2.0, 2.5, 5.0, 1, NULL}};
static const JobRules settings = {.retry = RETRY_DOCUMENTED,
                                  .max_attempts = 3,
                                  .poll = {2.0, 2.5, 5.0, 1, NULL}};
static const JobRules idempotent = {.retry = RETRY_IDEMPOTENT,
                                    .max_attempts = 3,
                                    .poll = {2.0, 2.5, 5.0, 1, NULL}};

static RetryQuota quota;

static const HttpOutcome lost = {.kind = OUTCOME_LOST, .retry_after = -1};
static const HttpOutcome not_sent = {.kind = OUTCOME_NOT_SENT,
                                     .retry_after = -1};
static const HttpOutcome held = {.kind = OUTCOME_HELD, .retry_after = -1};
static const HttpOutcome hopeless = {.kind = OUTCOME_HOPELESS,
                                     .retry_after = -1};

static inline HttpOutcome answer(int status) {
  return (HttpOutcome){
      .kind = OUTCOME_ANSWERED, .status = status, .retry_after = -1};
}

/* With a body that says so, and has an id. */
static inline HttpOutcome said(int status, BodySays says) {
  HttpOutcome reply = answer(status);
  reply.says = says;
  reply.named = true;
  return reply;
}

static inline HttpOutcome wish(int status, double retry_after) {
  HttpOutcome reply = answer(status);
  reply.retry_after = retry_after;
  return reply;
}

/* A job in PHASE_QUEUED with a fresh key and the deadline 100. */
static inline JobState new_job(JobMode mode, const JobRules *chosen) {
  JobState job;
  quota = RETRY_QUOTA_FULL;
  job_state_init(&job, mode, chosen, &quota, false, 100);
  return job;
}

static inline bool is_near(double a, double b) {
  return fabs(a - b) < 1e-6;
}

/* With the random number 0.5 polls have no jitter, backoffs are 3/4 d. */
static inline JobAction reply_with(JobState *job, HttpOutcome reply,
                                   double now) {
  return job_state_on_reply(job, &reply, now, 0.5);
}

static inline void assert_do(JobAction action, JobDo what) {
  assert_int_equal(action.what, what);
}

static inline void assert_end(const JobState *job, JobAction action,
                              JobEnd end) {
  assert_int_equal(action.what, JOB_DO_END);
  assert_int_equal(action.end, end);
  assert_int_equal(job->phase, PHASE_ENDED);
}

static inline void assert_rest(JobAction action, double at, bool retry) {
  assert_int_equal(action.what, JOB_DO_WAIT);
  check(is_near(action.at, at), "rests until %f, not %f", action.at, at);
  assert_int_equal(action.retry, retry);
}

/* A job of mode GENERATE, without references, in one of its states, at time
 * 0 and with the deadline 100. */
static inline JobState job_in(JobPhase wanted) {
  JobState job = new_job(JOB_MODE_GENERATE, &settings);
  job.check = wanted == PHASE_CHECKING;
  if (wanted == PHASE_QUEUED)
    return job;
  job_state_start(&job, 0);
  if (wanted == PHASE_HELD)
    reply_with(&job, held, 0);
  if (wanted == PHASE_BACKING_OFF)
    reply_with(&job, not_sent, 0);
  if (wanted == PHASE_ENDED)
    reply_with(&job, lost, 0);
  if (wanted == PHASE_WAITING || wanted == PHASE_POLLING)
    reply_with(&job, said(200, SAYS_WAITING), 0);
  if (wanted == PHASE_POLLING)
    job_state_on_timer(&job, 2);
  assert_int_equal(job.phase, wanted);
  return job;
}

#endif
