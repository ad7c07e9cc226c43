/*
 * Events: what the I/O thread tells the host's of an op.
 */
#ifndef GPTIMAGE2_ENGINE_EVENT_H
#define GPTIMAGE2_ENGINE_EVENT_H

#include "engine/base/failure.h"
#include "engine/loop/mailbox.h"
#include "engine/rules/api_reply.h"
#include "engine/rules/job_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Engine Engine;
typedef struct Op Op;

typedef enum EventKind {
  EVENT_QUEUED,   /* job: accepted by the I/O thread (only if `has_listener`) */
  EVENT_CREATING, /* job: its create goes out */
  EVENT_RETRY,    /* job: something failed and will be tried again */
  EVENT_CREATED,  /* job: it is at the service, and polled; body = the reply */
  EVENT_STATUS,   /* job: a poll told something new; body = the reply; only
                     the newest of a job waits to be taken */
  EVENT_ENDED     /* any op: over; the last event */
} EventKind;

/* Owned by the taker, who frees it with engine_free_event. */
typedef struct Event {
  Link link;
  Op *op;
  uintptr_t owner; /* what the host gave when it submitted the work */
  double time;     /* seconds since 1970 */
  EventKind kind;
  JobEnd end;    /* ENDED, jobs */
  BodySays says; /* jobs: the answer that the body is, where it is a 2xx */
  int status;    /* HTTP status of the reply, 0 = none */
  unsigned attempts;
  unsigned polls;
  unsigned index;       /* ENDED by a reference: which one, from 0 */
  bool temporary : 1;   /* the same: it may be usable later */
  bool created : 1;     /* the body is the answer to a create, else to a poll */
  bool partial : 1;     /* of that answer only the beginning came */
  bool running : 1;     /* it says so; else pending */
  bool has_balance : 1; /* it tells one */
  bool hearsay : 1;     /* jobs: the service has not told of its id yet */
  bool sent : 1;        /* jobs: a create may have reached the service */
  bool maybe_charged : 1; /* jobs: one may have made, and charged, a job */
  bool risked : 1;        /* jobs: one of its own, not of an earlier process */
  bool earlier_maybe_charged : 1; /* jobs: as in JobState */
  bool earlier_risk : 1;
  bool unrecorded : 1;   /* ENDED, jobs: the ledger could not be told, and
                            another process may send it yet */
  bool contradicted : 1; /* the same, but because its row says otherwise */
  bool embedded : 1;     /* lives in its Op: not to be freed by itself */
  Balance balance;
  const char *id;      /* jobs: the service's, once it is known; the op's own */
  const char *charged; /* ENDED by an answer that tells what it costs: "yes",
                          "refund_expected", "unknown"; else NULL.  Static */
  double delay;        /* RETRY: seconds until the next try; ENDED: the server's
                          Retry-After in seconds, negative = none; CREATED:
                          when, in monotonic seconds */
  Failure failure;     /* why, where it applies; the detail of job_failed is the
                          service's code, and NULL where it sent none */
  char *body;          /* NULL = none; NUL-terminated */
  size_t body_length;
  char *path;         /* ENDED, files: where it was saved */
  const char *format; /* ENDED, downloads: see image.h; static */
} Event;

#endif
