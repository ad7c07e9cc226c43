/* Opening a ledger file, with distrust: see ledger_open.h. */
#include "ledger_open.h"

#include "engine/base/shortage.h"
#include "ledger_check.h"
#include "ledger_file.h"
#include "ledger_patience.h"
#include "ledger_schema.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#define BUSY_TIMEOUT 2000   /* milliseconds: somebody has sqlite3 open on it */
#define LOG_LIMIT "4194304" /* bytes: SQLite writes about as much anyway */

static bool run(sqlite3 *db, const char *sql, const char *path,
                Failure *failure) {
  if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
    return true;
  ledger_file_refuse_for(failure, "ledger_unwritable", path, "written",
                         sqlite3_errmsg(db));
  return false;
}

/* What must hold for every connection.  A page is looked at as a whole when it
 * is read, so that damage is met before anything is made of it. */
static void harden(sqlite3 *db) {
  ledger_patience_set(db, BUSY_TIMEOUT);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  sqlite3_exec(db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
  sqlite3_extended_result_codes(db, 1);
}

/* The bytes of the log: -1 where there is none. */
static long long log_size(const char *path) {
  char name[PATH_MAX];
  struct stat info;
  if (snprintf(name, sizeof name, "%s-wal", path) >= (int)sizeof name ||
      lstat(name, &info) != 0)
    return -1;
  return (long long)info.st_size;
}

/* SQLite takes a log beside an empty file for a leftover, and removes it: it is
 * that of a ledger which was moved without it, and has what that had not yet.
 * Who makes a ledger writes to the file first: so the log is looked at first.
 */
static bool has_log_of_another(const char *path) {
  struct stat info;
  return log_size(path) > 0 && stat(path, &info) == 0 && info.st_size == 0;
}

static sqlite3 *connect(const char *path, int flags, Failure *failure) {
  sqlite3 *db = NULL;
  if (has_log_of_another(path)) {
    ledger_file_refuse(
        failure, "ledger_replaced", path,
        "is new, and beside it ('-wal') lies the log of one that "
        "was moved or removed, with jobs that may have been "
        "paid: move that file back, or the log to it");
    return NULL;
  }
  if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOFOLLOW,
                      ledger_patience_vfs()) == SQLITE_OK) {
    harden(db);
    return db;
  }
  if (db && shortage_of(sqlite3_system_errno(db)))
    ledger_file_refuse_errno(failure, path, "opened", sqlite3_system_errno(db));
  else
    ledger_file_refuse(failure, "ledger_unopenable", path,
                       db ? sqlite3_errmsg(db) : "needs more memory");
  sqlite3_close(db);
  return NULL;
}

sqlite3 *ledger_open_writer(const char *path, LedgerContents *contents,
                            Failure *failure) {
  sqlite3 *db =
      connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, failure);
  if (db && !ledger_check(db, path, true, contents, failure)) {
    sqlite3_close(db);
    return NULL;
  }
  return db;
}

/* The log is cut back to LOG_LIMIT when it begins anew: a reader that took its
 * time may have let it grow. */
bool ledger_set_up(sqlite3 *db, const char *path,
                   const LedgerContents *contents, Failure *failure) {
  int code = SQLITE_OK;
  if (!run(db,
           "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
           "PRAGMA fullfsync = ON;" /* macOS: down to the disk itself */
           "PRAGMA journal_size_limit = " LOG_LIMIT,
           path, failure))
    return false;
  if (!ledger_is_current(contents))
    code = schema_make(db, contents->version);
  if (code != SQLITE_OK)
    ledger_file_refuse_for(failure, "ledger_unwritable", path, "written",
                           sqlite3_errstr(code));
  else
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
  return code == SQLITE_OK;
}

/* `half_made`: who made it was killed before it had its log, and what is half
 * written must be taken back, which SQLite does for nobody who only reads. */
static sqlite3 *open_reader(const char *path, LedgerContents *contents,
                            bool *half_made, Failure *failure) {
  sqlite3 *db =
      connect(path, SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, failure);
  if (!db)
    return NULL;
  sqlite3_exec(db, "BEGIN", NULL, NULL, NULL); /* if not, reading says why */
  if (ledger_check(db, path, false, contents, failure))
    return db;
  *half_made = sqlite3_extended_errcode(db) == SQLITE_READONLY_ROLLBACK;
  sqlite3_close(db);
  return NULL;
}

static void take_back(const char *path) {
  Failure failure = {0};
  sqlite3 *db =
      connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, &failure);
  failure_clear(&failure);
  if (db)
    sqlite3_exec(db, "SELECT 1 FROM sqlite_master LIMIT 1", NULL, NULL, NULL);
  sqlite3_close(db);
}

/* All that is read is read at one moment: a writer may bring the tables up to
 * date in between. */
sqlite3 *ledger_open_reader(const char *path, LedgerContents *contents,
                            Failure *failure) {
  bool half_made = false;
  sqlite3 *db = open_reader(path, contents, &half_made, failure);
  if (!half_made)
    return db;
  take_back(path);
  failure_clear(failure);
  return open_reader(path, contents, &half_made, failure);
}

bool ledger_has_log(const char *path) {
  return log_size(path) >= 0;
}

/* What is not empty is somebody's, who may have been killed: that stays for who
 * spends. */
void ledger_clear_log(const char *path) {
  Failure failure = {0};
  sqlite3 *db = NULL;
  if (log_size(path) == 0)
    db = connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, &failure);
  failure_clear(&failure);
  if (!db)
    return;
  sqlite3_busy_timeout(db, 0); /* nobody is waited for */
  sqlite3_exec(db, "SELECT 1 FROM sqlite_master LIMIT 1", NULL, NULL, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
  sqlite3_close(db); /* the last one takes the log away */
}
