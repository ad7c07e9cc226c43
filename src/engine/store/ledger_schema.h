/*
 * What is in a ledger file: its tables, and how an older file gets them.
 * Private to the ledger's files; the columns are documented in doc/money.md.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_SCHEMA_H
#define GPTIMAGE2_ENGINE_LEDGER_SCHEMA_H

#include <sqlite3.h>

#define APPLICATION_ID 0x67706932 /* "gpi2" */
#define SCHEMA_VERSION 2

/* How many of its tables an older version has, for telling a ledger from
 * something else. */
int schema_tables(sqlite3_int64 version);

/* The same count as it is in the file: one number. */
extern const char schema_count_tables[];

/* Makes the tables in a file without any (version 0), brings an older file up
 * to date, or gives one of this version the indexes that it has not, all in one
 * transaction: after a crash the file is the one or the other.  A SQLite code;
 * the file is as before where that is not SQLITE_OK. */
int schema_make(sqlite3 *db, sqlite3_int64 version);

#endif
