/*
 * The work that a host may submit: what it says of each, and the functions that
 * start it.  Host's thread; a part of the door (engine.h).
 */
#ifndef GPTIMAGE2_ENGINE_SUBMIT_H
#define GPTIMAGE2_ENGINE_SUBMIT_H

#include "account_settings.h"
#include "engine/files/chunks.h"
#include "engine/files/file.h"
#include "engine/ledger/ledger.h"
#include "event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a job needs.  Everything is copied. */
typedef struct JobSpec {
  JobMode mode;
  const char *body; /* the exact request; NULL for polls */
  size_t body_length;
  const char *idempotency_key; /* NULL for polls */
  bool key_is_known;           /* the key may have been sent before */
  const char *service_id;      /* for polls, else NULL */
  bool hearsay;                /* that this is its id nobody but a user says */
  const char *const *references; /* URLs to check before spending */
  unsigned reference_count;      /* 0 = no check */
  unsigned class;                /* of jobs that take as long: poll_book.h */
  double timeout;                /* seconds until the job must be final */
  const LedgerEntry *entry;      /* for the ledger, where the account has one */
  bool again;                    /* it is in the ledger already */
  const char *former;            /* as another account's: its name, else NULL */
  bool maybe_charged;            /* an earlier create may have made it */
  bool earlier_paid;             /* one was charged */
  const char *earlier_id;        /* that it was given, or NULL */
  bool has_listener;             /* the host wants EVENT_QUEUED and RETRY */
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
  bool fresh;      /* just made: its host may not know it for some seconds */
  double timeout;  /* seconds from its turn, everything included */
  const char *key; /* of the ledger's job that it is an image of; or NULL */
  unsigned n;      /* which image, from 1 */
} DownloadSpec;

#define ENGINE_IMAGE_MAX ((size_t)64 << 20) /* bytes of one image */

/* Submit work.  `owner` comes back with each event.  NULL when memory runs out
 * or no thread can be started. */
Op *engine_job(Engine *engine, Account *account, const JobSpec *spec,
               uintptr_t owner);
Op *engine_download(Engine *engine, Account *account, const DownloadSpec *spec,
                    uintptr_t owner);
/* Writes a sidecar, atomically.  Takes the text over, whatever comes of it.
 * One of the same job that names the same files is left as it is. */
Op *engine_write(Engine *engine, const char *path, Chunks *text, bool overwrite,
                 uintptr_t owner);
/* Settles a job in the ledger, which the account must have: durable when it
 * ends. */
Op *engine_note(Engine *engine, Account *account, const char *key,
                const JobNote *news, uintptr_t owner);
/* Makes a tenant of the ledger, which the account must have, or changes it:
 * durable when it ends. */
Op *engine_tenant(Engine *engine, Account *account, const char *name,
                  const TenantChange *change, uintptr_t owner);
/* False, with `failure`, when a file certainly cannot be written there: see
 * file.h.  Looks at the disk, at once. */
bool engine_check_target(const FileTarget *target, Failure *failure);
/* Ends after `seconds`. */
Op *engine_sleep(Engine *engine, double seconds, uintptr_t owner);

#endif
