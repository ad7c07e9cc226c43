/* Opening a ledger file, with distrust: see ledger_open.h. */
#include "ledger_open.h"

#include "ledger_file.h"
#include "ledger_patience.h"
#include "ledger_schema.h"

#include <string.h>

#define BUSY_TIMEOUT 2000   /* milliseconds: somebody has sqlite3 open on it */
#define LOG_LIMIT "4194304" /* bytes: SQLite writes about as much anyway */

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

/* Is it a ledger that this version understands?  `schema` is the version of
 * its tables, 0 where there are none.  `thorough`: all of the file is read. */
static bool check_contents(sqlite3 *db, const char *path, bool thorough,
                           sqlite3_int64 *schema, Failure *failure) {
  int code = SQLITE_OK;
  sqlite3_int64 tables = query(db, "SELECT count(*) FROM sqlite_master", &code);
  sqlite3_int64 version = query(db, "PRAGMA user_version", &code);
  sqlite3_int64 id = query(db, "PRAGMA application_id", &code);
  sqlite3_int64 own = query(db, schema_count_tables, &code);
  bool ours =
      tables == 0 || (id == APPLICATION_ID && own == schema_tables(version));
  bool sound = !thorough || !ours || version > SCHEMA_VERSION ||
               code != SQLITE_OK || is_sound(db, &code);
  if (is_no_verdict(code))
    ledger_file_refuse_for(failure, "ledger_unopenable", path, "read",
                           sqlite3_errstr(code));
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
  else if (code != SQLITE_OK || !sound)
    ledger_file_refuse(failure, "ledger_damaged", path,
                       "is damaged: restore it from a copy, or move it away");
  else {
    *schema = tables == 0 ? 0 : version;
    return true;
  }
  return false;
}

static bool run(sqlite3 *db, const char *sql, const char *path,
                Failure *failure) {
  if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
    return true;
  ledger_file_refuse_for(failure, "ledger_unwritable", path, "written",
                         sqlite3_errmsg(db));
  return false;
}

/* What must hold for every connection. */
static void harden(sqlite3 *db) {
  ledger_patience_set(db, BUSY_TIMEOUT);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  sqlite3_extended_result_codes(db, 1);
}

static sqlite3 *connect(const char *path, int flags, Failure *failure) {
  sqlite3 *db = NULL;
  if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOFOLLOW,
                      ledger_patience_vfs()) == SQLITE_OK) {
    harden(db);
    return db;
  }
  ledger_file_refuse(failure, "ledger_unopenable", path,
                     db ? sqlite3_errmsg(db) : "needs more memory");
  sqlite3_close(db);
  return NULL;
}

sqlite3 *ledger_open_writer(const char *path, sqlite3_int64 *schema,
                            Failure *failure) {
  sqlite3 *db =
      connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, failure);
  if (db && !check_contents(db, path, true, schema, failure)) {
    sqlite3_close(db);
    return NULL;
  }
  return db;
}

/* The log is cut back to LOG_LIMIT when it begins anew: a reader that took its
 * time may have let it grow. */
bool ledger_set_up(sqlite3 *db, const char *path, sqlite3_int64 schema,
                   Failure *failure) {
  int code;
  if (!run(db,
           "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
           "PRAGMA journal_size_limit = " LOG_LIMIT,
           path, failure))
    return false;
  code = schema == SCHEMA_VERSION ? SQLITE_OK : schema_make(db, schema);
  if (code != SQLITE_OK)
    ledger_file_refuse_for(failure, "ledger_unwritable", path, "written",
                           sqlite3_errstr(code));
  else
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
  return code == SQLITE_OK;
}

/* All that is read is read at one moment: a writer may bring the tables up to
 * date in between. */
sqlite3 *ledger_open_reader(const char *path, sqlite3_int64 *schema,
                            Failure *failure) {
  sqlite3 *db =
      connect(path, SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, failure);
  if (!db)
    return NULL;
  sqlite3_exec(db, "BEGIN", NULL, NULL, NULL); /* if not, reading says why */
  if (check_contents(db, path, false, schema, failure))
    return db;
  sqlite3_close(db);
  return NULL;
}
