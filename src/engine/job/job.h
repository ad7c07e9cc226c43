/*
 * A job on the I/O thread, from the inside: what its parts (job_*.c) share.
 * Private to the engine.
 */
#ifndef GPTIMAGE2_ENGINE_JOB_H
#define GPTIMAGE2_ENGINE_JOB_H

#include "engine/core/account.h"
#include "engine/core/op.h"
#include "engine/http/http.h"
#include "engine/rules/gate.h"
#include "probe.h"

#include <stddef.h>

typedef struct Job {
  Op op; /* first: an Op * of a job is a Job * */
  JobState state;
  Permit permit;
  GateLink gate; /* while it wants an exchange, or has one */
  char *body; /* until the create was answered: then its memory holds the id */
  const char *idempotency_key; /* behind the job, in its memory; or NULL */
  char *id;                    /* the service's; NULL = not known yet */
  LedgerEntry *entry;          /* until it is recorded */
  char *former;     /* the account whose row it was; NULL = this one's */
  char *earlier_id; /* that an earlier create was given; NULL = none */
  uint64_t claim;   /* names it in the ledger, with `sends`; 0 = nothing does */
  unsigned sends;   /* sends that the ledger permitted */
  bool again : 1;   /* the ledger has it already */
  bool intended : 1;     /* its intent is in the open transaction */
  bool recorded : 1;     /* its intent is in the ledger */
  bool asked : 1;        /* its permission is in the open transaction */
  bool permitted : 1;    /* the create under way may go out */
  bool marked : 1;       /* the ledger says sent */
  bool held : 1;         /* the create under way had to be kept back */
  bool refused : 1;      /* the ledger says that it is not ours to send */
  bool given_up : 1;     /* cancelled while its create was out */
  bool earlier_paid : 1; /* an earlier create of it was charged */
  bool twice : 1;        /* one may have made another job than has its id */
  bool hearsay : 1;      /* the service has not told of its id yet */
  bool parting : 1; /* it has ended, which is told once the ledger has it */
  bool stays : 1;   /* it has ended, and its row is left for recover */
  bool has_listener : 1;
  bool checked : 1; /* its references are good, and it waits for its turn */
  uint16_t reference_count;
  uint32_t body_length;
  QueueLink unwritten; /* in the account's list of unrecorded */
  QueueLink place;     /* in its list of those sending, held, or parting */
  char **references;
  Probe *probe;       /* while references are looked at */
  Exchange *exchange; /* while one runs */
  uint64_t told;      /* fingerprint of the last body handed up */
} Job;

/* NULL = its client has none. */
static inline Ledger *job_ledger(const Job *job) {
  return job->op.account->ledger;
}

static inline Job *job_of_unwritten(QueueLink *link) {
  return QUEUE_ITEM(link, Job, unwritten);
}

static inline Job *job_of_place(QueueLink *link) {
  return QUEUE_ITEM(link, Job, place);
}

/* ---- job_run.c, which drives it: what the parts may ask of it ---- */

extern const OpType job_type;

/* It has its place in front of libcurl: begins what its state asked for. */
void job_send(Job *job);

/* What held its create back is over. */
void job_go_on(Job *job);

/* A job that is parting is told of: the ledger knows, or could not be told. */
void job_part(Job *job, bool recorded);

/* It must not be sent: the op's failure says why. */
void job_refuse(Job *job);

#endif
