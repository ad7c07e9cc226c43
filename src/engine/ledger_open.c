/* Opening a ledger file, with distrust: see ledger_open.h. */
#include "ledger_open.h"

#include "ledger_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_TIMEOUT 2000   /* milliseconds: somebody has sqlite3 open on it */
#define LOG_LIMIT "4194304" /* bytes: SQLite writes about as much anyway */

static void refuse(Failure *failure, const char *code, const char *path,
                   const char *why) {
  failure_set(failure, "ledger", code, "the ledger '%.300s' %s", path, why);
}

/* What could not be done with it, and the system's or SQLite's reason. */
static void refuse_for(Failure *failure, const char *code, const char *path,
                       const char *what, const char *reason) {
  char text[160];
  snprintf(text, sizeof text, "cannot be %s: %s", what, reason);
  refuse(failure, code, path, text);
}

static bool cannot_open(const char *path, Failure *failure) {
  refuse_for(failure, "ledger_unopenable", path, "opened", strerror(errno));
  return false;
}

/* A file that only we may read, which SQLite would not make. */
static bool make_file(const char *path, Failure *failure) {
  int fd;
  do
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  while (fd < 0 && errno == EINTR);
  if (fd < 0)
    return cannot_open(path, failure);
  close(fd);
  return true;
}

/* An empty file becomes a ledger: nobody else may read what goes in.  SQLite
 * gives its companions the same mode, and has no locks on it yet that closing a
 * descriptor could end. */
static bool claim_file(const char *path, Failure *failure) {
  struct stat info;
  int fd;
  do
    fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  while (fd < 0 && errno == EINTR);
  if (fd < 0)
    return cannot_open(path, failure);
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
      info.st_uid == geteuid() && info.st_size == 0)
    (void)fchmod(fd, 0600); /* there are file systems without modes */
  close(fd);
  return true;
}

/* A regular file of ours, reached without a symbolic link; made when it is not
 * there.  A file that holds something is only looked at: closing a descriptor
 * of it would end the locks that SQLite holds for this process, and another
 * process would take away the writer's log.  False with `failure`. */
static bool check_file(const char *path, bool make, Failure *failure) {
  struct stat info;
  if (lstat(path, &info) != 0)
    return errno == ENOENT && make ? make_file(path, failure)
                                   : cannot_open(path, failure);
  if (S_ISLNK(info.st_mode))
    refuse(failure, "ledger_symlink", path,
           "is a symbolic link: name the file itself");
  else if (!S_ISREG(info.st_mode))
    refuse(failure, "ledger_unopenable", path, "is not a file");
  else if (info.st_uid != geteuid())
    refuse(failure, "ledger_foreign", path, "belongs to another user");
  else
    return !make || info.st_size > 0 || claim_file(path, failure);
  return false;
}

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
    refuse_for(failure, "ledger_unopenable", path, "read",
               sqlite3_errstr(code));
  else if ((code & 0xff) == SQLITE_NOTADB)
    refuse(failure, "not_a_ledger", path, "is not a database");
  else if (code == SQLITE_OK && tables > 0 && id != APPLICATION_ID)
    refuse(failure, "not_a_ledger", path, "is a database of something else");
  else if (code == SQLITE_OK && version > SCHEMA_VERSION)
    refuse(failure, "ledger_newer", path,
           "was made by a newer version of gptimage2");
  else if (code == SQLITE_OK && !ours)
    refuse(failure, "ledger_damaged", path, "does not have its tables");
  else if (code != SQLITE_OK || !sound)
    refuse(failure, "ledger_damaged", path,
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
  refuse_for(failure, "ledger_unwritable", path, "written", sqlite3_errmsg(db));
  return false;
}

/* What must hold for every connection. */
static void harden(sqlite3 *db) {
  sqlite3_busy_timeout(db, BUSY_TIMEOUT);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  sqlite3_extended_result_codes(db, 1);
}

/* The log is cut back to LOG_LIMIT when it begins anew: a reader that took its
 * time may have let it grow. */
static bool set_up(sqlite3 *db, const char *path, sqlite3_int64 schema,
                   Failure *failure) {
  int code;
  if (!run(db,
           "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
           "PRAGMA journal_size_limit = " LOG_LIMIT,
           path, failure))
    return false;
  code = schema == SCHEMA_VERSION ? SQLITE_OK : schema_make(db, schema);
  if (code != SQLITE_OK)
    refuse_for(failure, "ledger_unwritable", path, "written",
               sqlite3_errstr(code));
  return code == SQLITE_OK;
}

static sqlite3 *connect(const char *path, int flags, Failure *failure) {
  sqlite3 *db = NULL;
  if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOFOLLOW, NULL) ==
      SQLITE_OK) {
    harden(db);
    return db;
  }
  refuse(failure, "ledger_unopenable", path,
         db ? sqlite3_errmsg(db) : "needs more memory");
  sqlite3_close(db);
  return NULL;
}

sqlite3 *ledger_open_writer(const char *path, Failure *failure) {
  sqlite3_int64 schema = 0;
  sqlite3 *db;
  if (!check_file(path, true, failure))
    return NULL;
  db = connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, failure);
  if (!db)
    return NULL;
  if (check_contents(db, path, true, &schema, failure) &&
      set_up(db, path, schema, failure)) {
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return db;
  }
  sqlite3_close(db);
  return NULL;
}

/* All that is read is read at one moment: a writer may bring the tables up to
 * date in between. */
sqlite3 *ledger_open_reader(const char *path, int *version, Failure *failure) {
  sqlite3_int64 schema = 0;
  sqlite3 *db;
  if (!check_file(path, false, failure))
    return NULL;
  db = connect(path, SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, failure);
  if (!db)
    return NULL;
  sqlite3_exec(db, "BEGIN", NULL, NULL, NULL); /* if not, reading says why */
  if (check_contents(db, path, false, &schema, failure)) {
    *version = (int)schema;
    return db;
  }
  sqlite3_close(db);
  return NULL;
}
