/* SQL of the tests' own in a ledger's file. */
#ifndef GPTIMAGE2_SPEC_SQL_H
#define GPTIMAGE2_SPEC_SQL_H

#include "check.h"

#include <sqlite3.h>

static inline void run_sql_in(const char *path, const char *sql) {
  sqlite3 *db;
  char *why = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  sqlite3_exec(db, sql, NULL, NULL, &why);
  check(!why, "%s", why);
  assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#endif
