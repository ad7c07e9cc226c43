/*
 * Opening a ledger file that ledger_file.h has looked at: what is in it, and
 * the connections.  Private to the ledger's files.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_OPEN_H
#define GPTIMAGE2_ENGINE_LEDGER_OPEN_H

#include "engine/base/failure.h"
#include "ledger_check.h"

#include <sqlite3.h>
#include <stdbool.h>

/* A connection for the one that spends, who holds the lock. */
sqlite3 *ledger_open_writer(const char *path, LedgerContents *contents,
                            Failure *failure);

/* Makes the tables where there are none, and brings older ones up to date, as
 * well as their indexes. */
bool ledger_set_up(sqlite3 *db, const char *path,
                   const LedgerContents *contents, Failure *failure);

/* A connection that only reads, beside any writer: what there is now.  An older
 * file stays as it is. */
sqlite3 *ledger_open_reader(const char *path, LedgerContents *contents,
                            Failure *failure);

/* Whether SQLite's log lies beside the file. */
bool ledger_has_log(const char *path);

/* Takes away the empty log and its index that a reader leaves, which may not do
 * that itself.  SQLite does it, under its own lock: not while anybody else has
 * the file open, nor where this program may not write. */
void ledger_clear_log(const char *path);

#endif
