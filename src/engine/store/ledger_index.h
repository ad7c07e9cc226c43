/*
 * The indexes of a ledger's file: what makes every question to it cost what its
 * answer does, however many jobs it holds.  Private to the ledger's files.
 *
 * They are no part of the schema's version: a file without them is read as it
 * is, and gets them from the first client that spends on it.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_INDEX_H
#define GPTIMAGE2_ENGINE_LEDGER_INDEX_H

#include <sqlite3.h>

/* How many there are, and the statement that counts them in a file. */
#define LEDGER_INDEXES 5
extern const char ledger_index_count[];

/* Reads both ends of each table and index: a few pages of any file.  A SQLite
 * code, that of damage where one of them is. */
int ledger_index_look(sqlite3 *db);

/* Makes those that are not there; in a transaction of the caller's.  A SQLite
 * code. */
int ledger_index_make(sqlite3 *db);

#endif
