/*
 * Values for the ledger's statements, which are run once for each of them.
 * Private to the ledger's files; the I/O thread.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_BIND_H
#define GPTIMAGE2_ENGINE_LEDGER_BIND_H

#include "ledger_entry.h"

#include <sqlite3.h>

/* NULL leaves the place empty.  What is bound lives until the statement has
 * run. */
void ledger_bind_text(sqlite3_stmt *statement, int place, const char *text);
void ledger_bind_blob(sqlite3_stmt *statement, int place, const char *bytes,
                      size_t length);

/* All that INTEND takes. */
void ledger_bind_entry(sqlite3_stmt *statement, const LedgerEntry *entry,
                       const char *account, const char *worker);

/* Runs it; SQLITE_DONE or the error. */
int ledger_finish(sqlite3_stmt *statement);

/* Behind the last look at what it found. */
void ledger_rewind(sqlite3_stmt *statement);

#endif
