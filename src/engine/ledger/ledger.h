/*
 * The ledger: a SQLite file with every paid job, durable before it is sent.
 *
 * Writes gather in one transaction until ledger_flush makes them durable, so
 * that a thousand jobs cost a few syncs.  Where one fails the ledger is down:
 * nobody may spend on it, and what was told is kept until ledger_restart finds
 * that it can be written again.  Only a damaged file is for good.
 *
 * The row is the arbiter of who sends its job: see ledger_permit.
 *
 * Opened on the host's thread; from then on used by the I/O thread alone, until
 * it is closed.  The schema is documented in ledger_schema.h and doc/money.md.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_H
#define GPTIMAGE2_ENGINE_LEDGER_H

#include "engine/base/failure.h"
#include "engine/store/tenant.h"
#include "ledger_entry.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct Ledger Ledger;

/* What a row says. */
typedef struct LedgerStand {
  bool found;
  bool open; /* somebody may send it yet, or poll it */
  bool free; /* nothing was charged */
} LedgerStand;

/* One who wants to send a job. */
typedef struct LedgerSend {
  const char *attempt_id; /* that the row has, if it is theirs */
  const char *next_id;    /* that it is to have from now on */
  bool again;             /* the row says sent, by them */
  unsigned attempts;      /* creates, this one included */
} LedgerSend;

/* How long a job took, from the answer to its create. */
typedef struct LedgerDuration {
  bool images;      /* it had reference images */
  int count;        /* of images asked for */
  double submitted; /* seconds since 1970 */
  double seconds;
} LedgerDuration;

/* Opens or makes the file at `path` and locks it: several processes may spend
 * on it, each by one of these (ledger_lock.h).  NULL with a failure of kind
 * ledger, the file untouched and nothing new beside it, when it cannot be
 * opened, belongs to somebody else, is a symbolic link or has several names, is
 * not a ledger, is damaged, is newer than this version, or is locked. */
Ledger *ledger_open_as(const char *path, const LedgerOptions *options,
                       Failure *failure);
Ledger *ledger_open(const char *path, Failure *failure);

/* What never changes while it is open: any thread may ask.  Its path, absolute;
 * which file that is, for LedgerFilter; the account, NULL = none was given. */
const char *ledger_path(const Ledger *ledger);
const char *ledger_file_of(const Ledger *ledger);
const char *ledger_account(const Ledger *ledger);

/* By what name rows have it as their owner, and others ask whether it lives; ""
 * = they cannot, it is alone.  Any thread. */
const char *ledger_worker(const Ledger *ledger);

/* Those of the service's jobs among the last `most` that succeeded, the newest
 * first, into `found`, which has room for all; how many.  Host's thread, right
 * after it was opened. */
unsigned ledger_durations(Ledger *ledger, const char *base_url,
                          LedgerDuration *found, unsigned most);

/* May money be spent on it, as far as its file is concerned?  Once that was
 * removed, replaced or given another name: no more, with `failure`.  What is
 * known can still be recorded. */
bool ledger_may_spend(Ledger *ledger, Failure *failure);

/* Gives back the lock.  What was not flushed is lost.  Nothing happens in a
 * forked child: it is the parent's. */
void ledger_close(Ledger *ledger);

/* The process ends: all that are open give back file and lock, the log folded
 * into the file, so that it may be moved.  Afterwards nothing but their end is
 * asked of them.  Called by exit(), once no I/O thread is left. */
void ledger_end_all(void);

/* Records a job in the state "intent".  `again`: the job is in the ledger, not
 * sent (or, with its `maybe_charged`, perhaps) and not settled, and is about to
 * be sent once more; whoever had it until now does not any more, unless they
 * may live (its owner is another than was seen).  False with `failure` when the
 * key is taken (ledger/key_in_use), the row says otherwise
 * (ledger/not_ours_to_send), its tenant is not there (budget/tenant_unknown) or
 * cannot pay for it (budget/tenant_budget_exceeded), or the ledger is down.  To
 * repeat it where the transaction was lost, or is said to be, does no harm: of
 * a permission in it nobody was told, and the row says "intent" again. */
bool ledger_intend(Ledger *ledger, const LedgerEntry *entry, bool again,
                   Failure *failure);

/* Marks the job as sent.  Only who gets true, and then has it durable, may send
 * it, and once: the row is `send`'s no longer under the old id.  False with
 * `failure` (ledger/not_ours_to_send) when the row is not theirs, or not in
 * that state, or the ledger is down.  Where it is not known whether that became
 * durable, to ask once more for the same id tells, and makes it so. */
bool ledger_permit(Ledger *ledger, const char *key, const LedgerSend *send,
                   Failure *failure);

/* Whether the service's job with this id is, as far as the ledger can be read,
 * that of another key.  One that is damaged there is broken from then on. */
bool ledger_has_other(Ledger *ledger, const char *base_url, const char *id,
                      const char *key);

/* Records news of the job with this key; where `key` is NULL, of the service's
 * job with this id. */
void ledger_tell(Ledger *ledger, const char *key, const LedgerNews *news);

/* Records that image `n` (from 1) was saved. */
void ledger_save_file(Ledger *ledger, const char *key, unsigned n,
                      const char *path);

/* Looks at the row with this key.  False when it cannot be read. */
bool ledger_look(Ledger *ledger, const char *key, LedgerStand *stand);

/* As ledger_tell, and makes it durable; forgotten where that fails, with
 * `failure`.
 */
bool ledger_settle(Ledger *ledger, const char *key, const LedgerNews *news,
                   Failure *failure);

/* Makes a tenant or changes it, durably.  False with `failure`: where it has
 * reserved and spent more than that, budget/tenant_budget_too_low. */
bool ledger_change_tenant(Ledger *ledger, const char *name,
                          const TenantChange *change, Failure *failure);

/* Makes everything so far durable.  False, with `failure`, when the ledger is
 * down: what was told is kept, what was intended or permitted is not. */
bool ledger_flush(Ledger *ledger, Failure *failure);

/* True while it cannot be written; where that is since somebody else was
 * writing to it; and when it never will be. */
bool ledger_is_down(const Ledger *ledger);
bool ledger_is_busy(const Ledger *ledger);
bool ledger_is_broken(const Ledger *ledger);

/* Why it is down. */
void ledger_why(const Ledger *ledger, Failure *failure);

/* Looks whether it can be written again, without waiting.  Jobs must then be
 * intended once more, before the next flush.  `last`: it waits, for the last
 * time. */
bool ledger_restart(Ledger *ledger, bool last);

#endif
