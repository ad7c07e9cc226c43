/*
 * Whether what SQLite has opened is a ledger, and whole.  Private to the
 * ledger's files; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_CHECK_H
#define GPTIMAGE2_ENGINE_LEDGER_CHECK_H

#include "engine/base/failure.h"

#include <sqlite3.h>
#include <stdbool.h>

/* The error code for what SQLite said: is the file bad, or was it the machine?
 */
const char *ledger_trouble(int code);

/* What a file holds. */
typedef struct LedgerContents {
  sqlite3_int64 version; /* of its tables, 0 = there are none */
  bool indexed;          /* it has all indexes of this version */
} LedgerContents;

/* Is it a ledger that this version understands?  A part of it is read that
 * does not grow with the file.  `spends`: by who is about to, and so looks at
 * both ends of all there is; one that is to be brought up to date first is
 * read as a whole. */
bool ledger_check(sqlite3 *db, const char *path, bool spends,
                  LedgerContents *contents, Failure *failure);

/* Is there nothing to bring up to date? */
bool ledger_is_current(const LedgerContents *contents);

#endif
