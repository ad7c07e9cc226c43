/*
 * The lock of a ledger: who may spend on it beside whom.  Any thread.
 *
 * Processes of one machine share it (ledger_share.h), in each of which one
 * client spends.  One has it alone where it wants that, and where the system or
 * the file system has no locks by which others would be seen.
 *
 * It lies on bytes of the ledger's own file, so that it goes with the file
 * under whatever name, and cannot be removed.  Its descriptor is opened before
 * SQLite opens the file and closed after the last connection of this process:
 * closing any descriptor of a file ends the locks that SQLite has on it.  So
 * readers are counted here, too.
 *
 * Version 0.1 locked "<path>.lock" instead, and knew no others: that is locked
 * as well.
 *
 * A forked child has none of this: its copies of the descriptors are closed at
 * once.  Nor does it get the ledger while it lives: it has a copy of what
 * SQLite knew of the file, which holds no lock and does not know that.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_LOCK_H
#define GPTIMAGE2_ENGINE_LEDGER_LOCK_H

#include "engine/base/failure.h"
#include "ledger_share.h"

#include <stdbool.h>
#include <sys/stat.h>

typedef struct LedgerLock LedgerLock;

/* Takes the lock of the file that is at `path` and was seen as `info`: for
 * oneself where `alone`, and else beside others where that can be.  NULL with
 * ledger/ledger_locked when somebody is in the way, and with
 * ledger/ledger_elsewhere when others have the file by another name.  Until
 * ledger_lock_opened nobody else gets it: others wait for that, two seconds at
 * most. */
LedgerLock *ledger_lock(const char *path, const struct stat *info, bool alone,
                        Failure *failure);

/* Keeps a version 0.1 away; and others, too, where the tables are not
 * `current`, and are about to be made.  False with `failure`. */
bool ledger_lock_old(LedgerLock *lock, const char *path, bool current,
                     Failure *failure);

/* True when ledger_lock_old made its file. */
bool ledger_lock_made_old(const LedgerLock *lock);

/* All is there: others may open it as well. */
void ledger_lock_opened(LedgerLock *lock);

/* Whether others may be there. */
bool ledger_lock_is_shared(const LedgerLock *lock);

/* Called once, behind the last word of who spends: whether nobody else is
 * there, and none comes before ledger_unlock. */
bool ledger_lock_is_last(LedgerLock *lock);

/* By what name the rows of who spends know it: "" where nobody else could ask.
 */
void ledger_lock_worker(const LedgerLock *lock, char name[LEDGER_WORKER_MAX]);

/* Whether another process that has this file open, and spends on it, goes by
 * that name. */
bool ledger_lock_is_alive(LedgerLock *lock, const char *worker);

/* An empty file becomes one that only its owner may read: whether it was. */
bool ledger_lock_claim(LedgerLock *lock);

/* Notes which file SQLite's log is, "<path>-wal", once it is open. */
void ledger_lock_watch_log(LedgerLock *lock, const char *path);

/* Is the locked file still the one at `path`, under that name alone, and
 * its log with it?  False with ledger/ledger_replaced, ledger/ledger_linked or
 * ledger/ledger_damaged. */
bool ledger_lock_in_place(const LedgerLock *lock, const char *path,
                          Failure *failure);

/* Somebody of this process has read damage in the file: from then on it is not
 * in place. */
void ledger_lock_found_damage(LedgerLock *lock);

/* For a reader of the file seen as `info`, about to open it; NULL without
 * memory.  It is given back with ledger_unlock, after closing. */
LedgerLock *ledger_lock_join(const struct stat *info);

/* Gives back what one of the above gave.  NULL is nothing. */
void ledger_unlock(LedgerLock *lock, bool reader);

#endif
