/*
 * The ledger: a SQLite file with every paid job, durable before it is sent.
 *
 * Writes gather in one transaction until ledger_flush makes them durable, so
 * that a thousand jobs cost a few syncs.  The first write that fails breaks the
 * ledger: nothing is written to it any more, and nobody may spend on it.
 *
 * Opened on the host's thread; from then on used by the I/O thread alone, until
 * it is closed.  The schema is documented in ledger_open.c and the README.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_H
#define GPTIMAGE2_ENGINE_LEDGER_H

#include "failure.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct Ledger Ledger;

/* What is known of a job before it is sent.  Texts may be NULL but for key,
 * base_url and body. */
typedef struct LedgerEntry {
  const char *key;
  const char *base_url;
  const char *mode;
  const char *prompt;
  const char *ratio;
  const char *metadata; /* a JSON object */
  int count;
  int cost; /* credits */
  const char *body;
  size_t body_length;
} LedgerEntry;

/* A copy of the texts but key, base_url and body; NULL without memory. */
LedgerEntry *ledger_entry_copy(const LedgerEntry *entry);
void ledger_entry_free(LedgerEntry *entry);

/* What became of a job.  NULL and 0 leave a column as it is. */
typedef struct LedgerNews {
  const char *state;   /* see ledger_open.c */
  const char *charged; /* "no", "yes", "unknown", "refund_expected" */
  const char *job_id;
  const char *base_url; /* the service whose id that is */
  const char *error;    /* a code from the public error table */
  unsigned attempts;    /* creates */
  int status;           /* HTTP, of the last answer */
  const char *answer;   /* to the create, as received */
  size_t answer_length;
  const char *result; /* the final answer to a poll, as received */
  size_t result_length;
  bool failed; /* the result says so: it replaces no pictures */
} LedgerNews;

/* How a ledger is opened; all zero is the usual. */
typedef struct LedgerOptions {
  bool any_owner;      /* the file may seem to be somebody else's */
  const char *account; /* whose jobs its client makes: a name */
  const char *api_key; /* where `account` is NULL: tells the account */
} LedgerOptions;

/* Opens or makes the file at `path` and locks it: one process spends on it at a
 * time.  NULL with a failure of kind ledger, the file untouched and nothing new
 * beside it, when it cannot be opened, belongs to somebody else, is a symbolic
 * link or has several names, is not a ledger, is damaged, is newer than this
 * version, or is locked. */
Ledger *ledger_open_as(const char *path, const LedgerOptions *options,
                       Failure *failure);
Ledger *ledger_open(const char *path, Failure *failure);

/* What never changes while it is open: any thread may ask.  Its path, absolute;
 * which file that is, for LedgerFilter; the account, NULL = none was given. */
const char *ledger_path(const Ledger *ledger);
const char *ledger_file_of(const Ledger *ledger);
const char *ledger_account(const Ledger *ledger);

/* May money be spent on it, as far as its file is concerned?  Once that was
 * removed, replaced or given another name: no more, with `failure`.  What is
 * known can still be recorded. */
bool ledger_may_spend(Ledger *ledger, Failure *failure);

/* Gives back the lock.  What was not flushed is lost.  Nothing happens in a
 * forked child: it is the parent's. */
void ledger_close(Ledger *ledger);

/* Records a job in the state "intent".  `again`: the job is in the ledger and
 * is about to be sent once more.  False, with `failure`, when the key is taken
 * (ledger/key_in_use) or the ledger is broken. */
bool ledger_intend(Ledger *ledger, const LedgerEntry *entry, bool again,
                   Failure *failure);

/* Records news of the job with this key; where `key` is NULL, of the service's
 * job with this id. */
void ledger_tell(Ledger *ledger, const char *key, const LedgerNews *news);

/* Records that image `n` (from 1) was saved. */
void ledger_save_file(Ledger *ledger, const char *key, unsigned n,
                      const char *path);

/* Makes everything so far durable.  False, with `failure`, when the ledger is
 * broken. */
bool ledger_flush(Ledger *ledger, Failure *failure);

#endif
