/* The rules of patience: see policy.h. */
#include "policy.h"

#define BACKOFF_FIRST 1.0   /* seconds */
#define BACKOFF_MAX 20.0    /* seconds */
#define STEADY_POLLING 30.0 /* seconds after the create */
#define POLL_GROWTH 1.25
#define POLL_JITTER 0.15
#define RETRY_AFTER_MIN 0.5 /* seconds */
#define RETRY_AFTER_MAX 30.0

CreateDecision policy_on_create(const Reply *reply, unsigned attempts,
                                unsigned most) {
  switch (reply->kind) {
  case REPLY_ANSWERED:
    return reply->status >= 200 && reply->status <= 299 ? CREATE_ACCEPTED
                                                        : CREATE_REFUSED;
  case REPLY_NOT_SENT:
    return attempts < most ? CREATE_REPEAT : CREATE_FAILED;
  case REPLY_HOPELESS:
    return CREATE_FAILED;
  case REPLY_LOST:
    break;
  }
  return CREATE_LOST;
}

PollDecision policy_on_poll(const Reply *reply, unsigned missing) {
  if (reply->kind != REPLY_ANSWERED)
    return POLL_RETRY;
  switch (reply->status) {
  case 200:
    return POLL_READ;
  case 202:
    return POLL_WAIT;
  case 401:
  case 403:
  case 410:
    return POLL_REFUSED;
  case 404:
    return missing >= POLICY_MISSING_MAX ? POLL_REFUSED : POLL_RETRY;
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
                         double *previous, double random) {
  double pause = settings->interval;
  if (*previous <= 0)
    pause = settings->first;
  else if (age > STEADY_POLLING && *previous >= settings->interval)
    pause = *previous * POLL_GROWTH;
  if (pause > settings->max && *previous > 0)
    pause = settings->max;
  *previous = pause > 0 ? pause : settings->interval;
  return pause * (1 - POLL_JITTER + 2 * POLL_JITTER * random);
}

double policy_clamp_retry_after(double seconds) {
  if (seconds < RETRY_AFTER_MIN)
    return RETRY_AFTER_MIN;
  return seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : seconds;
}
