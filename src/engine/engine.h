/*
 * The engine: the only door between the two sides.
 *
 * The host's thread (the Lua side) submits work, steers it and takes events;
 * the I/O thread does the work.  The thread starts with the first piece of work
 * and is joined by engine_close.  Functions are for the host's thread, all
 * return at once, except engine_wait.  One engine serves one Lua state.
 *
 * The life of a piece of work: engine_job & co. return a Work; events name it;
 * one event is its last (`final`), after which the host calls engine_release
 * and forgets it.  A Work is never freed before that.
 */
#ifndef GPTIMAGE2_ENGINE_ENGINE_H
#define GPTIMAGE2_ENGINE_ENGINE_H

#include "engine/base/failure.h"
#include "engine/base/text.h"
#include "engine/files/file.h"
#include "engine/loop/mailbox.h"
#include "engine/rules/decode.h"
#include "engine/rules/flow.h"
#include "engine/work/account.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Engine Engine;
typedef struct Work Work;

typedef enum EventKind {
  EVENT_QUEUED,   /* job: accepted by the I/O thread (only if `narrate`) */
  EVENT_CREATING, /* job: its create goes out */
  EVENT_RETRY,    /* job: something failed and will be tried again */
  EVENT_CREATED,  /* job: it is at the service, and polled; body = the reply */
  EVENT_STATUS,   /* job: a poll told something new; body = the reply; only
                     the newest of a job waits to be taken */
  EVENT_ENDED     /* any work: over; the last event */
} EventKind;

/* Owned by the taker, who frees it with engine_free_event. */
typedef struct Event {
  Link link;
  Work *work;
  uintptr_t owner; /* what the host gave when it submitted the work */
  double time;     /* seconds since 1970 */
  EventKind kind;
  FlowEnd end;    /* ENDED, jobs */
  ReplySays says; /* jobs: the answer that the body is, where it is a 2xx */
  int status;     /* HTTP status of the reply, 0 = none */
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
  bool doubt : 1;       /* jobs: one may have made, and charged, a job */
  bool risked : 1;      /* jobs: one of its own, not of an earlier process */
  bool earlier_doubt : 1; /* jobs: as in Flow */
  bool earlier_risk : 1;
  bool unrecorded : 1;   /* ENDED, jobs: the ledger could not be told, and
                            another process may send it yet */
  bool contradicted : 1; /* the same, but because its row says otherwise */
  bool embedded : 1;     /* lives in its Work: not to be freed by itself */
  Balance balance;
  const char *id; /* jobs: the service's, once it is known; the work's own */
  const char *charged; /* ENDED by an answer that tells what it costs: "yes",
                          "refund_expected", "unknown"; else NULL.  Static */
  double delay;        /* RETRY: seconds until the next try; ENDED: the server's
                          Retry-After in seconds, negative = none */
  Failure failure;     /* why, where it applies; the detail of job_failed is the
                          service's code, and NULL where it sent none */
  char *body;          /* NULL = none; NUL-terminated */
  size_t body_length;
  char *path;         /* ENDED, files: where it was saved */
  const char *format; /* ENDED, downloads: see image.h; static */
  char *spare;        /* (engine) memory for a body: see event_pool.h */
  uint32_t body_size; /* what is allocated */
  uint32_t spare_size;
} Event;

/* What a job needs.  Everything is copied. */
typedef struct JobSpec {
  FlowMode mode;
  const char *body; /* the exact request; NULL for polls */
  size_t body_length;
  const char *key;        /* idempotency key; NULL for polls */
  bool key_is_known;      /* the key may have been sent before */
  const char *service_id; /* for polls, else NULL */
  bool hearsay;           /* that this is its id nobody but a user says */
  const char *const *references; /* URLs to check before spending */
  unsigned reference_count;      /* 0 = no check */
  double timeout;                /* seconds until the job must be final */
  const LedgerEntry *entry;      /* for the ledger, where the account has one */
  bool again;                    /* it is in the ledger already */
  const char *former;            /* as another account's: its name, else NULL */
  bool doubt;                    /* an earlier create may have made it */
  bool earlier_paid;             /* one was charged */
  const char *earlier_id;        /* that it was given, or NULL */
  bool narrate;                  /* the host wants EVENT_QUEUED and RETRY */
} JobSpec;

/* News of a job for the ledger.  NULL = as it was.  The texts `state` and
 * `charged` are static. */
typedef struct JobNote {
  const char *state;
  const char *charged;
  char *error;
  char *job_id;
} JobNote;

/* What to download.  Everything is copied. */
typedef struct DownloadSpec {
  const char *url;
  const char *path; /* may hold "{ext}"; NULL = into memory */
  bool overwrite;
  bool fresh;     /* just made: its host may not know it for some seconds */
  double timeout; /* seconds from its turn, everything included */
} DownloadSpec;

#define ENGINE_IMAGE_MAX ((size_t)64 << 20) /* bytes of one image */

/* Downloads at once, the rest wait: each has three descriptors. */
#define ENGINE_DOWNLOADS_MAX 16
#define ENGINE_DOWNLOADS_HOST_MAX 12 /* of them from one host */
#define ENGINE_DOWNLOADS_FIRST 8     /* beyond, of hosts that have none */

/* An engine without a thread; NULL when memory or descriptors run out. */
Engine *engine_open(void);

/* Stops everything, joins the thread, frees all work and the engine.  In a
 * forked child, where the thread does not exist, it does nothing. */
void engine_close(Engine *engine);

/* True in a child that was forked after engine_open: nothing works there. */
bool engine_is_forked(const Engine *engine);

/* Submit work.  `owner` comes back with each event.  NULL when memory runs out
 * or no thread can be started. */
Work *engine_job(Engine *engine, Account *account, const JobSpec *spec,
                 uintptr_t owner);
Work *engine_download(Engine *engine, Account *account,
                      const DownloadSpec *spec, uintptr_t owner);
/* Writes a whole small file, atomically.  Takes the text over, whatever comes
 * of it. */
Work *engine_write(Engine *engine, const char *path, Text *text, bool overwrite,
                   uintptr_t owner);
/* Records news of a job, or (n > 0) that its image n was saved at `path`.  The
 * account must have a ledger. */
Work *engine_note(Engine *engine, Account *account, const char *key,
                  const JobNote *news, unsigned n, const char *path,
                  uintptr_t owner);
/* False, with `failure`, when a file certainly cannot be written there: see
 * file.h.  Looks at the disk, at once. */
bool engine_check_target(const FileTarget *target, Failure *failure);
/* Ends after `seconds`. */
Work *engine_sleep(Engine *engine, double seconds, uintptr_t owner);

/* Asks the work to stop; its EVENT_ENDED still comes. */
void engine_cancel(Engine *engine, Work *work);

/* The same, but the ledger keeps it as it is, to be taken up again. */
void engine_leave(Engine *engine, Work *work);

/* From now on (`on`) what the calls tell the I/O thread is kept back, and sent
 * with the call that ends it (`on` false): one wake-up for all.  Nothing that
 * may take long, the host's own functions above all, may run in between. */
void engine_gather(Engine *engine, bool on);

/* The host has seen the last event of `work`. */
void engine_release(Engine *engine, Work *work);

/* The host wants no more of `account`. */
void engine_drop_account(Engine *engine, Account *account);

/* The next event, or NULL: one atomic load when nothing has arrived. */
Event *engine_next_event(Engine *engine);
void engine_free_event(Engine *engine, Event *event);

/* Something was left to do: keeps the descriptor readable until
 * engine_next_event has nothing more to give. */
void engine_stay_readable(Engine *engine);

/* A descriptor that is readable while events wait. */
int engine_fd(const Engine *engine);

/* Waits for an event, a signal, or `seconds`. */
void engine_wait(Engine *engine, double seconds);

#endif
