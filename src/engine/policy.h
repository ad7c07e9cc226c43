/*
 * The rules of patience: which failures are repeated, when, and how often.
 *
 * Pure: numbers in, a decision out.  No clock, no sockets, no allocation; the
 * caller brings the random numbers.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_POLICY_H
#define GPTIMAGE2_ENGINE_POLICY_H

#include <stdbool.h>

/* What became of one exchange with the service. */
typedef enum ReplyKind {
  REPLY_ANSWERED, /* a whole HTTP answer arrived: see status */
  REPLY_NOT_SENT, /* provably no byte of the request left this machine */
  REPLY_LOST,     /* something was sent, no usable answer came back */
  REPLY_HOPELESS  /* nothing was sent, and trying again is no use */
} ReplyKind;

typedef struct Reply {
  ReplyKind kind;
  int status;         /* HTTP status, when answered */
  double retry_after; /* seconds the server asks for; negative = it does not */
} Reply;

typedef enum CreateDecision {
  CREATE_ACCEPTED, /* 2xx: read the body */
  CREATE_REPEAT,   /* wait policy_backoff, then send the same bytes again */
  CREATE_REFUSED,  /* the service said no */
  CREATE_FAILED,   /* never sent, and tried often enough */
  CREATE_LOST      /* sent, no answer: it may have been paid, never repeat */
} CreateDecision;

/* What follows from the reply to a create.  `attempts` counts the creates so
 * far, this one included; `most` is the caller's max_attempts. */
CreateDecision policy_on_create(const Reply *reply, unsigned attempts,
                                unsigned most);

typedef enum PollDecision {
  POLL_WAIT,   /* 202: not ready yet */
  POLL_READ,   /* 200: read the body */
  POLL_RETRY,  /* trouble that never ends a paid job */
  POLL_REFUSED /* the key or the id is not accepted: no use in asking again */
} PollDecision;

/* How many answers of 404 in a row end a job. */
#define POLICY_MISSING_MAX 3

/* What follows from the reply to a poll.  `missing` counts the 404s in a row,
 * this one included. */
PollDecision policy_on_poll(const Reply *reply, unsigned missing);

/* Seconds to wait after the n-th failure in a row (n from 1): full jitter in
 * [d/2, d] with d = min(1 s * 2^(n-1), 20 s).  `random` is in [0, 1). */
double policy_backoff(unsigned failures, double random);

typedef struct PollSettings {
  double first;    /* seconds from the create to the first poll */
  double interval; /* seconds between polls in the first 30 s */
  double max;      /* seconds: where the growth after that ends */
} PollSettings;

/* Seconds until the next poll.  `age`: seconds since the create; `previous`:
 * the last pause without its jitter, 0 before the first; both in and out. */
double policy_poll_pause(const PollSettings *settings, double age,
                         double *previous, double random);

/* A server's Retry-After on a 202, within what we obey: 0.5 s to 30 s. */
double policy_clamp_retry_after(double seconds);

#endif
