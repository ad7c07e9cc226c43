/*
 * Opening a ledger file that ledger_file.h has looked at: what is in it, and
 * the connections.  Private to the ledger's files.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_OPEN_H
#define GPTIMAGE2_ENGINE_LEDGER_OPEN_H

#include "failure.h"

#include <sqlite3.h>
#include <stdbool.h>

/* A connection for the one that spends, who holds the lock.  `schema` is the
 * version of the tables, 0 = there are none. */
sqlite3 *ledger_open_writer(const char *path, sqlite3_int64 *schema,
                            Failure *failure);

/* Makes the tables where there are none, and brings older ones up to date. */
bool ledger_set_up(sqlite3 *db, const char *path, sqlite3_int64 schema,
                   Failure *failure);

/* A connection that only reads, beside any writer: what there is now.  An older
 * file stays as it is. */
sqlite3 *ledger_open_reader(const char *path, sqlite3_int64 *schema,
                            Failure *failure);

#endif
