/*
 * Whether what SQLite has opened is a ledger, and whole.  Private to the
 * ledger's files; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_CHECK_H
#define GPTIMAGE2_ENGINE_LEDGER_CHECK_H

#include "failure.h"

#include <sqlite3.h>
#include <stdbool.h>

/* The error code for what SQLite said: is the file bad, or was it the machine?
 */
const char *ledger_trouble(int code);

/* Is it a ledger that this version understands?  `schema` is the version of
 * its tables, 0 where there are none.  `thorough`: all of the file is read. */
bool ledger_check(sqlite3 *db, const char *path, bool thorough,
                  sqlite3_int64 *schema, Failure *failure);

#endif
