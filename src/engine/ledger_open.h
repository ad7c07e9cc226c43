/*
 * Opening a ledger file, with distrust.  Private to the ledger's files.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_OPEN_H
#define GPTIMAGE2_ENGINE_LEDGER_OPEN_H

#include "failure.h"

#include <sqlite3.h>
#include <stdbool.h>

/* A connection for the one that spends; the tables are made where the file is
 * new, and brought up to date where it is older. */
sqlite3 *ledger_open_writer(const char *path, Failure *failure);

/* The error code for what SQLite said: is the file bad, or was it the machine?
 */
const char *ledger_trouble(int code);

/* A connection that only reads, beside any writer: what there is now.  An older
 * file stays as it is: `version` is that of its tables, 0 = there are none. */
sqlite3 *ledger_open_reader(const char *path, int *version, Failure *failure);

#endif
