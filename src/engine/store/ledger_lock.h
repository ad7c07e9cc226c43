/*
 * The lock of a ledger: one process, and in it one client, spends on a ledger
 * at a time.  Any thread.
 *
 * It lies on a byte of the ledger's own file, far behind those that SQLite
 * locks, so that it goes with the file under whatever name, and cannot be
 * removed.  Its descriptor is opened before SQLite opens the file and closed
 * after the last connection of this process: closing any descriptor of a file
 * ends the locks that SQLite has on it.  So readers are counted here, too.
 *
 * Version 0.1 locked "<path>.lock" instead: that is locked as well.
 *
 * A forked child has none of this: its copies of the descriptors are closed at
 * once.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_LOCK_H
#define GPTIMAGE2_ENGINE_LEDGER_LOCK_H

#include "engine/base/failure.h"

#include <stdbool.h>
#include <sys/stat.h>

typedef struct LedgerLock LedgerLock;

/* Takes the lock of the file that is at `path` and was seen as `info`, without
 * waiting.  NULL with ledger/ledger_locked when somebody has it. */
LedgerLock *ledger_lock(const char *path, const struct stat *info,
                        Failure *failure);

/* Keeps a version 0.1 away.  False with `failure`. */
bool ledger_lock_old(LedgerLock *lock, const char *path, Failure *failure);

/* True when ledger_lock_old made its file. */
bool ledger_lock_made_old(const LedgerLock *lock);

/* An empty file becomes one that only its owner may read. */
void ledger_lock_claim(LedgerLock *lock);

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

/* False in a child that was forked after the lock was taken. */
bool ledger_lock_is_mine(const LedgerLock *lock);

#endif
