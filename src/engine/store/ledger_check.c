/* What is in a ledger's file: see ledger_check.h. */
#include "ledger_check.h"

#include "engine/base/shortage.h"
#include "ledger_file.h"
#include "ledger_index.h"
#include "ledger_schema.h"

#include <string.h>

/* The first row, or NULL; `code` keeps the first thing that went wrong. */
static sqlite3_stmt *ask(sqlite3 *db, const char *sql, int *code) {
  sqlite3_stmt *statement = NULL;
  int result = *code;
  if (result == SQLITE_OK)
    result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
  if (result == SQLITE_OK)
    result = sqlite3_step(statement);
  if (result == SQLITE_ROW)
    return statement;
  sqlite3_finalize(statement);
  *code = result == SQLITE_DONE ? SQLITE_ERROR : result;
  return NULL;
}

/* The first column of the first row as a number, or -1. */
static sqlite3_int64 query(sqlite3 *db, const char *sql, int *code) {
  sqlite3_stmt *statement = ask(db, sql, code);
  sqlite3_int64 number = statement ? sqlite3_column_int64(statement, 0) : -1;
  sqlite3_finalize(statement);
  return number;
}

/* True when SQLite finds nothing wrong with the file. */
static bool is_sound(sqlite3 *db, int *code) {
  sqlite3_stmt *statement = ask(db, "PRAGMA quick_check(1)", code);
  const char *said =
      statement ? (const char *)sqlite3_column_text(statement, 0) : NULL;
  bool sound = said && strcmp(said, "ok") == 0;
  if (statement && !said)
    *code = SQLITE_NOMEM;
  sqlite3_finalize(statement);
  return sound;
}

const char *ledger_trouble(int code) {
  code &= 0xff; /* the extended codes' families */
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR
             ? "ledger_damaged"
             : "ledger_unopenable";
}

/* True when what went wrong says nothing about the file: no memory, say. */
static bool is_no_verdict(int code) {
  return code != SQLITE_OK &&
         strcmp(ledger_trouble(code), "ledger_damaged") != 0;
}

/* For a while: somebody has it locked, or the disk is full, on which even a
 * reader needs some room beside the file. */
static bool is_passing(int code) {
  code &= 0xff;
  return code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_FULL ||
         code == SQLITE_IOERR;
}

bool ledger_is_current(const LedgerContents *contents) {
  return contents->version == SCHEMA_VERSION && contents->indexed;
}

/* Who spends trusts no more than what was looked at.  What else is damaged is
 * met when it is read, and stops the spending then. */
static bool is_whole(sqlite3 *db, const LedgerContents *contents, int *code) {
  if (!ledger_is_current(contents))
    return is_sound(db, code);
  *code = ledger_index_look(db);
  return *code == SQLITE_OK;
}

bool ledger_check(sqlite3 *db, const char *path, bool spends,
                  LedgerContents *contents, Failure *failure) {
  int code = SQLITE_OK;
  sqlite3_int64 tables = query(db, "SELECT count(*) FROM sqlite_master", &code);
  sqlite3_int64 version = query(db, "PRAGMA user_version", &code);
  sqlite3_int64 id = query(db, "PRAGMA application_id", &code);
  sqlite3_int64 own = query(db, schema_count_tables, &code);
  sqlite3_int64 indexes = query(db, ledger_index_count, &code);
  bool ours =
      tables == 0 || (id == APPLICATION_ID && own == schema_tables(version));
  bool whole;
  contents->version = tables == 0 ? 0 : version;
  contents->indexed = indexes == LEDGER_INDEXES;
  whole = !spends || !ours || version > SCHEMA_VERSION || code != SQLITE_OK ||
          is_whole(db, contents, &code);
  if ((code & 0xff) == SQLITE_CANTOPEN && shortage_of(sqlite3_system_errno(db)))
    ledger_file_refuse_errno(failure, path, "read", sqlite3_system_errno(db));
  else if (is_no_verdict(code))
    ledger_file_refuse_for(
        failure, is_passing(code) ? "ledger_unwritable" : "ledger_unopenable",
        path, "read", sqlite3_errstr(code));
  else if ((code & 0xff) == SQLITE_NOTADB)
    ledger_file_refuse(failure, "not_a_ledger", path, "is not a database");
  else if (code == SQLITE_OK && tables > 0 && id != APPLICATION_ID)
    ledger_file_refuse(failure, "not_a_ledger", path,
                       "is a database of something else");
  else if (code == SQLITE_OK && version > SCHEMA_VERSION)
    ledger_file_refuse(failure, "ledger_newer", path,
                       "was made by a newer version of gptimage2");
  else if (code == SQLITE_OK && !ours)
    ledger_file_refuse(failure, "ledger_damaged", path,
                       "does not have its tables");
  else if (code != SQLITE_OK || !whole)
    ledger_file_refuse(failure, "ledger_damaged", path,
                       "is damaged: restore it from a copy, or move it away");
  else
    return true;
  return false;
}
