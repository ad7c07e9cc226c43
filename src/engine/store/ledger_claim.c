/* Who works on a row: see ledger_claim.h. */
#include "ledger_claim.h"

#include "engine/files/file_limit.h"
#include "ledger_file.h"
#include "ledger_lock.h"
#include "ledger_open.h"

/* A claim that a power cut takes away needs no sync: its owner goes with it. */
static const char begin[] = "PRAGMA synchronous = NORMAL;"
                            "PRAGMA wal_autocheckpoint = 0;"
                            "BEGIN IMMEDIATE";

static const char take[] =
    "UPDATE jobs SET owner = ?1 WHERE key = ?2 AND state = ?3 AND owner IS ?4";

static void bind(sqlite3_stmt *statement, int place, const char *text) {
  sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC); /* or NULL */
}

static int claim_all(sqlite3 *db, sqlite3_stmt *statement, const char *worker,
                     LedgerClaim *claims, size_t count) {
  int code = SQLITE_DONE;
  bind(statement, 1, worker);
  for (size_t i = 0; i < count && code == SQLITE_DONE; i++) {
    bind(statement, 2, claims[i].key);
    bind(statement, 3, claims[i].state);
    bind(statement, 4, claims[i].owner);
    code = sqlite3_step(statement);
    claims[i].taken = code == SQLITE_DONE && sqlite3_changes(db) == 1;
    sqlite3_reset(statement);
  }
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* In one transaction, which is closed with the connection where it fails. */
static int write_all(sqlite3 *db, const char *worker, LedgerClaim *claims,
                     size_t count) {
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_exec(db, begin, NULL, NULL, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_prepare_v2(db, take, -1, &statement, NULL);
  if (code == SQLITE_OK)
    code = claim_all(db, statement, worker, claims, count);
  sqlite3_finalize(statement);
  return code == SQLITE_OK ? sqlite3_exec(db, "COMMIT", NULL, NULL, NULL)
                           : code;
}

static bool write_file(const char *path, const char *worker,
                       LedgerClaim *claims, size_t count, Failure *failure) {
  LedgerContents contents;
  sqlite3 *db = ledger_open_writer(path, &contents, failure);
  int code;
  if (!db)
    return false;
  code = write_all(db, worker, claims, count);
  if (code != SQLITE_OK)
    ledger_file_refuse_for(failure, "ledger_unwritable", path, "written",
                           sqlite3_errmsg(db));
  sqlite3_close(db);
  return code == SQLITE_OK;
}

/* While its lock is joined, no descriptor of the file is closed. */
static bool write_joined(const LedgerPlace *place, const char *worker,
                         LedgerClaim *claims, size_t count, Failure *failure) {
  LedgerLock *lock;
  struct stat info;
  bool ok;
  if (!ledger_file_check(place->path, place->any_owner, &info, failure) ||
      !ledger_file_is_meant(place->path, &info, place->file, failure))
    return false;
  lock = ledger_lock_join(&info);
  if (!lock) {
    ledger_file_refuse(failure, "ledger_unopenable", place->path,
                       "needs more memory");
    return false;
  }
  ok = write_file(place->path, worker, claims, count, failure);
  ledger_unlock(lock, true);
  return ok;
}

bool ledger_claim(const LedgerPlace *place, const char *worker,
                  LedgerClaim *claims, size_t count, Failure *failure) {
  FileLimit limit;
  bool ok;
  if (count == 0)
    return true;
  file_limit_hold(&limit);
  ok = write_joined(place, worker, claims, count, failure);
  file_limit_release(&limit);
  for (size_t i = 0; i < count && !ok; i++)
    claims[i].taken = false;
  return ok;
}
