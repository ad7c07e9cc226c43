/*
 * The rules of patience: which failures are repeated, when, and how often.
 *
 * Pure: numbers in, a decision out.  No clock, no sockets, no allocation; the
 * caller brings the random numbers.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_POLICY_H
#define GPTIMAGE2_ENGINE_POLICY_H

#include "engine/polls/poll_plan.h"

#include <stdbool.h>

/* What became of one exchange with the service. */
typedef enum OutcomeKind {
  OUTCOME_ANSWERED, /* a whole HTTP answer arrived: see status */
  OUTCOME_NOT_SENT, /* provably no byte of the request left this machine */
  OUTCOME_LOST,     /* something was sent, no usable answer came back */
  OUTCOME_HOPELESS, /* nothing was sent, and trying again is no use */
  OUTCOME_HELD      /* nothing was sent: this side must wait before it may be */
} OutcomeKind;

/* What the body of a 2xx says of its job: see judge.h. */
typedef enum BodySays {
  SAYS_NOTHING, /* nothing usable: unreadable, or of another job */
  SAYS_STRANGE, /* a status that nobody knows */
  SAYS_WAITING, /* pending, running */
  SAYS_TROUBLE, /* an error, perhaps of this answer alone */
  SAYS_EMPTY,   /* it succeeded, and there are no pictures */
  SAYS_SUCCEEDED,
  SAYS_FAILED
} BodySays;

typedef struct HttpOutcome {
  OutcomeKind kind;
  int status;         /* HTTP status, when answered */
  BodySays says;      /* when answered with a 2xx, or the beginning of one */
  bool named;         /* the same of a create: it gives the job its id */
  bool timed_out;     /* a time limit ended it */
  bool partial;       /* lost, but the beginning of a 2xx answer is there */
  double retry_after; /* seconds the server asks for; negative = it does not */
} HttpOutcome;

/* Which failed creates may be repeated.  Whatever the mode, it is always the
 * same body under the same idempotency key. */
typedef enum RetryMode {
  RETRY_SAFE,       /* what was provably not done */
  RETRY_DOCUMENTED, /* and what the service's documentation says to repeat */
  RETRY_IDEMPOTENT  /* and what may have been done: the service honours keys */
} RetryMode;

typedef enum CreateOutcome {
  CREATE_ACCEPTED, /* 2xx: read the body */
  CREATE_REFUSED,  /* the service said no */
  CREATE_FAILED,   /* never sent */
  CREATE_LOST      /* sent, no answer: it may have been paid */
} CreateOutcome;

/* What the reply to a create means by itself. */
CreateOutcome policy_create_outcome(const HttpOutcome *reply);

/* True when a create with this reply may have made, and charged, a job. */
bool policy_maybe_charged(const HttpOutcome *reply);

/* True when the create may be sent again after this reply: design, section 6.
 * `repeated`: the key has been sent before. */
bool policy_may_repeat(const HttpOutcome *reply, RetryMode mode, bool repeated);

/* A Retry-After of more than this many seconds ends the job at once. */
#define POLICY_PATIENCE 60.0

/* Retries that an account may still make: a storm empties it, successes fill
 * it up again. */
typedef struct RetryQuota {
  double tokens;
} RetryQuota;

#define RETRY_QUOTA_FULL ((RetryQuota){.tokens = 500})

/* Takes what a retry costs (5; 10 after a timeout); false when it is not there.
 */
bool policy_take_retry(RetryQuota *quota, bool timed_out);

/* A create that went well gives 1 back. */
void policy_return_retry(RetryQuota *quota);

typedef enum PollDecision {
  POLL_WAIT,   /* 202, or a body that says so: not ready yet */
  POLL_READ,   /* 200, or a body that says final: that counts */
  POLL_RETRY,  /* trouble that never ends a paid job */
  POLL_REFUSED /* the key or the id is not accepted: no use in asking again */
} PollDecision;

/* How many answers of 404 in a row end a job. */
#define POLICY_NOT_FOUND_MAX 3

/* What follows from the reply to a poll.  `missing` counts the 404s in a row,
 * this one included. */
PollDecision policy_on_poll(const HttpOutcome *reply, unsigned missing);

/* Seconds to wait after the n-th failure in a row (n from 1): full jitter in
 * [d/2, d] with d = min(1 s * 2^(n-1), 20 s).  `random` is in [0, 1). */
double policy_backoff(unsigned failures, double random);

typedef struct PollSettings {
  double first;    /* seconds from the create to the first poll */
  double interval; /* seconds between polls, for the first 30 units at least */
  double max;      /* seconds: where the growth after that ends */
  double unit;     /* seconds: what plans and that 30 are measured in */
  const PollPlan *const *plans; /* of each class of jobs, NULL = nothing is
                                   known; NULL = none are used */
} PollSettings;

/* Seconds until the next poll, without a plan.  `age`: seconds since the
 * create; `previous`: the last pause without its jitter, 0 before the first;
 * both in and out. */
double policy_poll_pause(const PollSettings *settings, double age,
                         float *previous, double random);

/* The same by what is known of the job's class, where that is enough. */
double policy_planned_pause(const PollSettings *settings, unsigned class,
                            double age, unsigned polls, float *previous,
                            double random);

/* Seconds before the deadline at which the last poll is sent.  `pause`: the
 * usual one between polls. */
double policy_last_look(double pause);

/* A server's Retry-After on a 202, within what we obey: 0.5 s to 30 s. */
double policy_clamp_retry_after(double seconds);

#endif
