/* The life of one job, as a pure state machine: see job_state.h. */
#include "job_state.h"

#include <math.h>

static JobAction nothing(void) {
  return (JobAction){.what = JOB_DO_NOTHING};
}

static JobAction end(JobState *state, JobEnd how) {
  state->phase = PHASE_ENDED;
  return (JobAction){.what = JOB_DO_END, .end = how};
}

/* Waits in `phase` until `at`, but never past the deadline. */
static JobAction rest(JobState *state, JobPhase phase, double at) {
  state->phase = phase;
  return (JobAction){.what = JOB_DO_WAIT,
                     .at = at < state->deadline ? at : state->deadline,
                     .retry = state->failures > 0};
}

/* Only where the service is said to honour keys all creates make one job. */
static JobAction create(JobState *state) {
  bool distinct = state->settings->retry != RETRY_IDEMPOTENT;
  state->earlier_maybe_charged = distinct && state->maybe_charged;
  state->earlier_risk = distinct && state->risked;
  state->phase = PHASE_CREATING;
  state->attempts++;
  return (JobAction){.what = JOB_DO_CREATE};
}

static JobAction poll(JobState *state) {
  state->phase = PHASE_POLLING;
  state->polls++;
  return (JobAction){.what = JOB_DO_POLL};
}

void job_state_init(JobState *state, JobMode mode, const JobRules *settings,
                    RetryQuota *quota, bool repeated, double deadline) {
  *state = (JobState){.mode = mode,
                      .settings = settings,
                      .quota = quota,
                      .repeated = repeated,
                      .deadline = deadline};
}

/* Seconds between two looks, beyond which they say too little: more than any
 * plan leaves, in the unit of the plans. */
#define LOOKS_APART 15.0

bool job_state_took(const JobState *state, double now, Duration *took) {
  double age = now - state->created;
  if (state->mode != JOB_MODE_GENERATE || state->polls == 0 ||
      age - (double)state->seen > LOOKS_APART * state->settings->poll.unit)
    return false;
  *took = (Duration){
      .began = state->created, .low = state->seen, .high = (float)age};
  return true;
}

bool job_state_runs(const JobState *state, Duration *so_far) {
  if (state->mode != JOB_MODE_GENERATE || !(state->created > 0))
    return false;
  *so_far = (Duration){
      .began = state->created, .low = state->seen, .high = DURATION_OPEN};
  return true;
}

void job_state_on_sent(JobState *state, double now) {
  if (state->phase == PHASE_POLLING)
    state->asked = (float)(now - state->created);
}

JobAction job_state_start(JobState *state, double now) {
  if (state->phase != PHASE_QUEUED)
    return nothing();
  if (now >= state->deadline)
    return end(state, JOB_END_TIMEOUT);
  if (state->mode == JOB_MODE_POLL_ONCE || state->mode == JOB_MODE_RESUME) {
    state->created = now;
    return poll(state);
  }
  if (!state->check)
    return create(state);
  state->phase = PHASE_CHECKING;
  return (JobAction){.what = JOB_DO_CHECK};
}

JobAction job_state_on_checked(JobState *state, bool usable, double now) {
  if (state->phase != PHASE_CHECKING)
    return nothing();
  if (!usable)
    return end(state, JOB_END_REFERENCE);
  if (now >= state->deadline)
    return end(state, JOB_END_TIMEOUT);
  return create(state);
}

/* The least gap before a last look, in the unit of the plans. */
#define LOOK_APART 0.5

/* The rest before a poll.  One that would come after the deadline, or too late
 * to be answered, is sent a little before it instead: nobody is told that a job
 * was not done in time who has not just looked.  It keeps the least gap, or is
 * left out. */
static JobAction rest_for_poll(JobState *state, double pause, double now) {
  double look = policy_last_look((double)state->pause);
  double last = state->deadline - look;
  double soonest = now + fmin(LOOK_APART * state->settings->poll.unit, look);
  if (now + pause <= last)
    return rest(state, PHASE_WAITING, now + pause);
  if (now >= last || soonest > state->deadline - look / 2)
    return rest(state, PHASE_WAITING, state->deadline);
  return rest(state, PHASE_WAITING, fmax(last, soonest));
}

/* By plan only where the age is known: the class says so. */
static double next_pause(JobState *state, double now, double random) {
  return policy_planned_pause(&state->settings->poll, state->class,
                              now - state->created, state->polls, &state->pause,
                              random);
}

/* The pause before the next poll; a server's wish replaces the schedule. */
static JobAction rest_before_poll(JobState *state, double wish, double now,
                                  double random) {
  double pause = next_pause(state, now, random);
  if (wish >= 0)
    pause = policy_clamp_retry_after(wish);
  return rest_for_poll(state, pause, now);
}

/* The service has the job, or says so; `created` is set for nothing else. */
static JobAction accept(JobState *state, const HttpOutcome *reply, double now,
                        double random) {
  policy_return_retry(state->quota);
  state->created = now;
  state->failures = 0;
  if (state->cancelled)
    return end(state, JOB_END_CANCELLED);
  if (!reply->named)
    return end(state, JOB_END_UNUSABLE);
  if (reply->says == SAYS_SUCCEEDED)
    return end(state, JOB_END_SUCCEEDED);
  if (reply->says == SAYS_FAILED)
    return end(state, JOB_END_FAILURE);
  if (state->mode == JOB_MODE_CREATE_ONLY)
    return end(state, JOB_END_ACCEPTED);
  return rest_before_poll(state, reply->retry_after, now, random);
}

/* No further create: `outcome` is the last one's. */
static JobAction end_create(JobState *state, const HttpOutcome *reply,
                            CreateOutcome outcome, double now, double random) {
  if (reply->partial)
    return accept(state, reply, now, random);
  if (outcome == CREATE_REFUSED)
    return end(state, JOB_END_REFUSED);
  /* An earlier create may have been paid although this one never left. */
  return end(state, outcome == CREATE_LOST || state->maybe_charged
                        ? JOB_END_LOST
                        : JOB_END_FAILED);
}

/* Seconds to wait before the next create; what the server asks is a floor. */
static double create_pause(const JobState *state, const HttpOutcome *reply,
                           double random) {
  double pause = policy_backoff(state->failures, random);
  return reply->retry_after > pause ? reply->retry_after : pause;
}

/* Waits for another create, or ends now when none fits. */
static JobAction back_off(JobState *state, const HttpOutcome *reply,
                          CreateOutcome outcome, double now, double random) {
  double at;
  state->failures++;
  at = now + create_pause(state, reply, random);
  if (state->cancelled)
    return end(state, JOB_END_CANCELLED);
  if (now >= state->deadline && outcome != CREATE_REFUSED && !reply->partial)
    return end(state, state->maybe_charged ? JOB_END_LOST : JOB_END_TIMEOUT);
  if (at >= state->deadline || reply->retry_after > POLICY_PATIENCE)
    return end_create(state, reply, outcome, now, random);
  state->repeated = state->repeated || reply->kind != OUTCOME_NOT_SENT;
  return rest(state, PHASE_BACKING_OFF, at);
}

static bool may_repeat(JobState *state, const HttpOutcome *reply) {
  return state->attempts < state->settings->max_attempts &&
         policy_may_repeat(reply, state->settings->retry, state->repeated) &&
         policy_take_retry(state->quota, reply->timed_out);
}

/* Over for one whose create waits for this side: nothing more was sent. */
static JobAction end_held(JobState *state) {
  return end(state, state->maybe_charged ? JOB_END_TIMEOUT : JOB_END_FAILED);
}

/* The create was kept back: it was no attempt. */
static JobAction hold(JobState *state, double now) {
  state->attempts--;
  if (state->cancelled)
    return end(state, JOB_END_CANCELLED);
  if (now >= state->deadline)
    return end_held(state);
  state->phase = PHASE_HELD;
  return (JobAction){.what = JOB_DO_WAIT, .at = state->deadline, .retry = true};
}

static JobAction on_created(JobState *state, const HttpOutcome *reply,
                            double now, double random) {
  CreateOutcome outcome = policy_create_outcome(reply);
  if (reply->kind == OUTCOME_HELD)
    return hold(state, now);
  if (reply->kind == OUTCOME_ANSWERED || reply->kind == OUTCOME_LOST)
    state->sent = true;
  state->risked = state->risked || policy_maybe_charged(reply);
  state->maybe_charged = state->maybe_charged || state->risked;
  /* The beginning of an answer may hold the id; asking again is better only
   * where the service is sure to give the same answer. */
  if (outcome == CREATE_ACCEPTED ||
      (reply->partial && state->settings->retry != RETRY_IDEMPOTENT))
    return accept(state, reply, now, random);
  if (may_repeat(state, reply))
    return back_off(state, reply, outcome, now, random);
  return end_create(state, reply, outcome, now, random);
}

/* After trouble: the schedule's pause or the backoff, whichever is longer. */
static JobAction rest_after_trouble(JobState *state, double wish, double now,
                                    double random) {
  double pause = next_pause(state, now, random);
  double backoff = policy_backoff(++state->failures, random);
  if (pause < backoff)
    pause = backoff;
  if (wish >= 0 && pause < policy_clamp_retry_after(wish))
    pause = policy_clamp_retry_after(wish);
  if (wish >= 0) /* it has too much to do: no look before its time */
    return rest(state, PHASE_WAITING, now + pause);
  return rest_for_poll(state, pause, now);
}

/* A final answer that cannot be used ends the job when it comes this often in
 * a row. */
#define UNUSABLE_REPLIES_MAX 3

/* It said nothing about the job that could be used. */
static JobAction ask_again(JobState *state, const HttpOutcome *reply,
                           double now, double random) {
  JobAction action;
  if (state->mode == JOB_MODE_POLL_ONCE)
    return end(state, JOB_END_UNUSABLE);
  action = rest_before_poll(state, reply->retry_after, now, random);
  action.retry = action.unusable = reply->says != SAYS_STRANGE;
  return action;
}

/* A bare "error" may mean this answer alone: a paid job is not given up for it
 * before it was said three times in a row. */
static bool is_passing(JobState *state) {
  return state->mode != JOB_MODE_POLL_ONCE &&
         ++state->unusable_replies < UNUSABLE_REPLIES_MAX;
}

static JobAction go_on(JobState *state, const HttpOutcome *reply, double now,
                       double random) {
  state->unusable_replies = 0;
  state->seen = state->asked;
  if (state->mode == JOB_MODE_POLL_ONCE)
    return end(state, JOB_END_ACCEPTED);
  return rest_before_poll(state, reply->retry_after, now, random);
}

/* What the body says counts, whatever 2xx it came with. */
static JobAction read_polled(JobState *state, const HttpOutcome *reply,
                             double now, double random) {
  state->failures = 0;
  switch (reply->says) {
  case SAYS_SUCCEEDED:
    return end(state, JOB_END_SUCCEEDED);
  case SAYS_FAILED:
    return end(state, JOB_END_FAILURE);
  case SAYS_TROUBLE:
    return is_passing(state) ? ask_again(state, reply, now, random)
                             : end(state, JOB_END_FAILURE);
  case SAYS_EMPTY:
    return ++state->unusable_replies < UNUSABLE_REPLIES_MAX
               ? ask_again(state, reply, now, random)
               : end(state, JOB_END_UNUSABLE);
  case SAYS_WAITING:
    return go_on(state, reply, now, random);
  case SAYS_STRANGE:
  case SAYS_NOTHING:
    break;
  }
  return ask_again(state, reply, now, random);
}

/* A 202 says that the job goes on, whatever its body is. */
static JobAction wait_on(JobState *state, const HttpOutcome *reply, double now,
                         double random) {
  state->failures = 0;
  if (state->mode == JOB_MODE_POLL_ONCE || reply->says == SAYS_WAITING)
    return read_polled(state, reply, now, random);
  state->seen = state->asked;
  return rest_before_poll(state, reply->retry_after, now, random);
}

static JobAction on_polled(JobState *state, const HttpOutcome *reply,
                           double now, double random) {
  bool missing = reply->kind == OUTCOME_ANSWERED && reply->status == 404;
  PollDecision decision;
  state->not_found_count = missing ? (uint8_t)(state->not_found_count + 1) : 0;
  decision = policy_on_poll(reply, state->not_found_count);
  if (state->mode == JOB_MODE_POLL_ONCE && decision != POLL_READ &&
      decision != POLL_WAIT)
    return end(state, reply->kind == OUTCOME_ANSWERED ? JOB_END_REFUSED
                                                      : JOB_END_FAILED);
  switch (decision) {
  case POLL_READ:
    return read_polled(state, reply, now, random);
  case POLL_WAIT:
    return wait_on(state, reply, now, random);
  case POLL_RETRY:
    return rest_after_trouble(state, reply->retry_after, now, random);
  case POLL_REFUSED:
    break;
  }
  return end(state, JOB_END_REFUSED);
}

JobAction job_state_on_reply(JobState *state, const HttpOutcome *reply,
                             double now, double random) {
  if (state->phase == PHASE_CREATING)
    return on_created(state, reply, now, random);
  if (state->phase == PHASE_POLLING)
    return on_polled(state, reply, now, random);
  return nothing();
}

JobAction job_state_on_timer(JobState *state, double now) {
  bool late = now >= state->deadline;
  switch (state->phase) {
  case PHASE_HELD:
    return late ? end_held(state) : nothing();
  case PHASE_BACKING_OFF:
    return late ? end(state, JOB_END_TIMEOUT) : create(state);
  case PHASE_WAITING:
    return late ? end(state, JOB_END_TIMEOUT) : poll(state);
  case PHASE_QUEUED:
  case PHASE_CHECKING:
    return late ? end(state, JOB_END_TIMEOUT) : nothing();
  case PHASE_CREATING:
  case PHASE_POLLING:
  case PHASE_ENDED:
    break;
  }
  return nothing();
}

void job_state_not_begun(JobState *state, bool create) {
  unsigned *count = create ? &state->attempts : &state->polls;
  --*count;
}

JobAction job_state_on_overdue(JobState *state) {
  if (state->phase != PHASE_CREATING && state->phase != PHASE_POLLING)
    return nothing();
  job_state_not_begun(state, state->phase == PHASE_CREATING);
  return end(state, JOB_END_TIMEOUT);
}

JobAction job_state_on_ready(JobState *state, double now) {
  if (state->phase != PHASE_HELD)
    return nothing();
  return now >= state->deadline ? end_held(state) : create(state);
}

JobAction job_state_on_cancel(JobState *state, bool gone) {
  if (state->phase == PHASE_ENDED)
    return nothing();
  if (state->phase == PHASE_CREATING && gone) {
    state->cancelled = true;
    return nothing();
  }
  return end(state, JOB_END_CANCELLED);
}
