/* The rules of patience: see policy.h. */
#include "policy.h"

#include <stddef.h>

#define RETRY_COST 5.0
#define RETRY_COST_TIMEOUT 10.0
#define BACKOFF_FIRST 1.0   /* seconds */
#define BACKOFF_MAX 20.0    /* seconds */
#define STEADY_POLLING 30.0 /* units after the create */
#define POLL_GROWTH 1.25
#define POLL_JITTER 0.15
#define RETRY_AFTER_MIN 0.5 /* seconds */
#define RETRY_AFTER_MAX 30.0
#define LAST_LOOK 1.0 /* seconds */

CreateOutcome policy_create_outcome(const HttpOutcome *reply) {
  switch (reply->kind) {
  case OUTCOME_ANSWERED:
    return reply->status >= 200 && reply->status <= 299 ? CREATE_ACCEPTED
                                                        : CREATE_REFUSED;
  case OUTCOME_NOT_SENT:
  case OUTCOME_HOPELESS:
  case OUTCOME_HELD:
    return CREATE_FAILED;
  case OUTCOME_LOST:
    break;
  }
  return CREATE_LOST;
}

bool policy_maybe_charged(const HttpOutcome *reply) {
  if (reply->kind == OUTCOME_LOST)
    return true;
  return reply->kind == OUTCOME_ANSWERED &&
         (reply->status < 400 || reply->status == 408 || reply->status == 409 ||
          reply->status >= 500);
}

/* The statuses that the documentation says to repeat, but for 429. */
static bool is_documented(int status) {
  return status == 408 || status == 500 || status == 502 || status == 503 ||
         status == 504;
}

bool policy_may_repeat(const HttpOutcome *reply, RetryMode mode,
                       bool repeated) {
  switch (reply->kind) {
  case OUTCOME_NOT_SENT:
  case OUTCOME_HELD:
    return true;
  case OUTCOME_HOPELESS:
    return false;
  case OUTCOME_LOST:
    return mode == RETRY_IDEMPOTENT;
  case OUTCOME_ANSWERED:
    break;
  }
  if (reply->status == 429)
    return true;
  if (reply->status == 409) /* the first of the two is still at work */
    return repeated;
  return mode != RETRY_SAFE && is_documented(reply->status);
}

bool policy_take_retry(RetryQuota *quota, bool timed_out) {
  double cost = timed_out ? RETRY_COST_TIMEOUT : RETRY_COST;
  if (quota->tokens < cost)
    return false;
  quota->tokens -= cost;
  return true;
}

void policy_return_retry(RetryQuota *quota) {
  if (quota->tokens < RETRY_QUOTA_FULL.tokens)
    quota->tokens += 1;
}

/* An answer to a poll that says: not ready yet. */
static bool waits(const HttpOutcome *reply) {
  return reply->kind == OUTCOME_ANSWERED &&
         (reply->status == 202 ||
          (reply->status / 100 == 2 && reply->says == SAYS_WAITING));
}

PollDecision policy_on_poll(const HttpOutcome *reply, unsigned missing) {
  if (reply->kind != OUTCOME_ANSWERED)
    return POLL_RETRY;
  if (reply->status / 100 == 2 &&
      (reply->status == 200 || reply->says > SAYS_WAITING || !waits(reply)))
    return POLL_READ;
  if (waits(reply))
    return POLL_WAIT;
  switch (reply->status) {
  case 401:
  case 403:
  case 410:
    return POLL_REFUSED;
  case 404:
    return missing >= POLICY_NOT_FOUND_MAX ? POLL_REFUSED : POLL_RETRY;
  default:
    return POLL_RETRY;
  }
}

double policy_backoff(unsigned failures, double random) {
  double delay = BACKOFF_FIRST;
  while (failures-- > 1 && delay < BACKOFF_MAX)
    delay *= 2;
  if (delay > BACKOFF_MAX)
    delay = BACKOFF_MAX;
  return delay / 2 + delay / 2 * random;
}

double policy_poll_pause(const PollSettings *settings, double age,
                         float *previous, double random) {
  double pause = settings->interval, last = (double)*previous;
  if (last <= 0)
    pause = settings->first;
  else if (age > STEADY_POLLING * settings->unit && last >= settings->interval)
    pause = last * POLL_GROWTH;
  if (pause > settings->max && last > 0)
    pause = settings->max;
  *previous = (float)(pause > 0 ? pause : settings->interval);
  return pause * (1 - POLL_JITTER + 2 * POLL_JITTER * random);
}

double policy_planned_pause(const PollSettings *settings, unsigned class,
                            double age, unsigned polls, float *previous,
                            double random) {
  const PollPlan *plan = settings->plans ? settings->plans[class] : NULL;
  double pause;
  if (!plan || plan->count == 0)
    return policy_poll_pause(settings, age, previous, random);
  pause = settings->unit *
          poll_plan_next(plan, age / settings->unit, polls, random);
  *previous = (float)pause;
  return pause;
}

double policy_last_look(double pause) {
  return pause / 2 < LAST_LOOK ? pause / 2 : LAST_LOOK;
}

double policy_clamp_retry_after(double seconds) {
  if (seconds < RETRY_AFTER_MIN)
    return RETRY_AFTER_MIN;
  return seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : seconds;
}
