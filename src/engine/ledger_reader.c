/* Reading a ledger: see ledger_reader.h. */
#include "ledger_reader.h"

#include "file_limit.h"
#include "ledger_check.h"
#include "ledger_file.h"
#include "ledger_lock.h"
#include "ledger_open.h"

#include <stdlib.h>
#include <string.h>

struct LedgerReader {
  LedgerLock *lock; /* joined */
  sqlite3 *db;
  sqlite3_stmt *rows;
  sqlite3_stmt *files;
};

/* What schema 1 had in `jobs`. */
#define BODIES_1 "body, answer, result"
#define BODIES_2                                                               \
  "(SELECT body FROM bodies WHERE key = jobs.key AND body IS NOT NULL),"       \
  " (SELECT answer FROM bodies WHERE key = jobs.key AND body IS NULL),"        \
  " (SELECT result FROM bodies WHERE key = jobs.key AND body IS NULL)"

#define ROWS(bodies, of_version_2)                                             \
  "SELECT key, state, charged, base_url, mode, prompt, ratio, metadata,"       \
  " job_id, error, " bodies ", created_at, updated_at, count, cost,"           \
  " attempts, http_status, " of_version_2                                      \
  " FROM jobs WHERE (?1 IS NULL OR key = ?1)"                                  \
  " AND (?2 IS NULL OR job_id = ?2) AND (?3 IS NULL OR state = ?3)"            \
  " AND (?4 IS NULL OR created_at >= ?4)"                                      \
  " AND (?5 IS NULL OR created_at <= ?5)"                                      \
  " AND (NOT ?7 OR state IN ('intent', 'sent', 'accepted', 'unknown'))"

/* For each version and order one, so that the index on created_at gives the
 * order. */
#define OLDEST " ORDER BY created_at, rowid LIMIT ?6"
#define NEWEST " ORDER BY created_at DESC, rowid DESC LIMIT ?6"
static const char *const rows_sql[2][2] = {
    {ROWS(BODIES_1, "NULL, NULL") OLDEST, ROWS(BODIES_1, "NULL, NULL") NEWEST},
    {ROWS(BODIES_2, "account, attempt_id") OLDEST,
     ROWS(BODIES_2, "account, attempt_id") NEWEST}};

static const char files_sql[] =
    "SELECT path FROM files WHERE key = ?1 ORDER BY n, saved_at, path"
    " LIMIT 1 OFFSET ?2";

/* The filter's texts must live as long as the reader: they are copied.  False
 * without memory: a filter that is left out would let all rows through. */
static bool bind(sqlite3_stmt *rows, const LedgerFilter *filter) {
  int code = SQLITE_OK;
  const char *texts[] = {filter->key, filter->job_id, filter->state};
  for (int i = 0; i < 3; i++)
    if (texts[i])
      code |= sqlite3_bind_text(rows, i + 1, texts[i], -1, SQLITE_TRANSIENT);
  if (filter->since > 0)
    sqlite3_bind_double(rows, 4, filter->since);
  if (filter->until > 0)
    sqlite3_bind_double(rows, 5, filter->until);
  sqlite3_bind_int64(rows, 6, filter->limit > 0 ? filter->limit : -1);
  sqlite3_bind_int(rows, 7, filter->unfinished);
  return code == SQLITE_OK;
}

/* Is that the file which the filter means? */
static bool is_meant(const char *path, const struct stat *info,
                     const LedgerFilter *filter, Failure *failure) {
  char name[LEDGER_FILE_ID];
  ledger_file_id(info, name);
  if (!filter->file || strcmp(filter->file, name) == 0)
    return true;
  ledger_file_refuse(failure, "ledger_replaced", path,
                     "is another file than the one that was opened");
  return false;
}

/* The connection, at the version of its tables. */
static bool open_file(LedgerReader *reader, const char *path,
                      const LedgerFilter *filter, sqlite3_int64 *schema,
                      Failure *failure) {
  struct stat info;
  if (!ledger_file_check(path, filter->any_owner, &info, failure) ||
      !is_meant(path, &info, filter, failure))
    return false;
  reader->lock = ledger_lock_join(&info);
  if (!reader->lock) {
    failure_set(failure, "ledger", "ledger_unopenable", "out of memory");
    return false;
  }
  reader->db = ledger_open_reader(path, schema, failure);
  return reader->db != NULL;
}

static bool prepare(LedgerReader *reader, const char *path,
                    const LedgerFilter *filter, sqlite3_int64 schema,
                    Failure *failure) {
  const char *sql = rows_sql[schema != 1][filter->newest_first];
  if (sqlite3_prepare_v2(reader->db, sql, -1, &reader->rows, NULL) ==
          SQLITE_OK &&
      sqlite3_prepare_v2(reader->db, files_sql, -1, &reader->files, NULL) ==
          SQLITE_OK &&
      bind(reader->rows, filter))
    return true;
  failure_set(failure, "ledger", ledger_trouble(sqlite3_errcode(reader->db)),
              "the ledger '%.300s' cannot be read: %s", path,
              sqlite3_errmsg(reader->db));
  return false;
}

static LedgerReader *open_reader(const char *path, const LedgerFilter *filter,
                                 Failure *failure) {
  LedgerReader *reader = calloc(1, sizeof *reader);
  char *whole = reader ? ledger_file_path(path, failure) : NULL;
  sqlite3_int64 schema = 0;
  bool ok = whole && open_file(reader, whole, filter, &schema, failure) &&
            prepare(reader, whole, filter, schema, failure);
  free(whole);
  if (ok)
    return reader;
  if (reader)
    ledger_reader_close(reader);
  else
    failure_set(failure, "ledger", "ledger_unopenable", "out of memory");
  return NULL;
}

/* Whoever reads may have to write the log's index. */
LedgerReader *ledger_reader_open(const char *path, const LedgerFilter *filter,
                                 Failure *failure) {
  FileLimit limit;
  LedgerReader *reader;
  file_limit_hold(&limit);
  reader = open_reader(path, filter, failure);
  file_limit_release(&limit);
  return reader;
}

static const char *text(sqlite3_stmt *rows, int column) {
  return (const char *)sqlite3_column_text(rows, column);
}

static const char *blob(sqlite3_stmt *rows, int column, size_t *length) {
  const char *bytes = sqlite3_column_blob(rows, column);
  *length = (size_t)sqlite3_column_bytes(rows, column);
  return bytes;
}

static void read_row(sqlite3_stmt *rows, LedgerRow *row) {
  row->key = text(rows, 0);
  row->state = text(rows, 1);
  row->charged = text(rows, 2);
  row->base_url = text(rows, 3);
  row->mode = text(rows, 4);
  row->prompt = text(rows, 5);
  row->ratio = text(rows, 6);
  row->metadata = text(rows, 7);
  row->job_id = text(rows, 8);
  row->error = text(rows, 9);
  row->body = blob(rows, 10, &row->body_length);
  row->answer = blob(rows, 11, &row->answer_length);
  row->result = blob(rows, 12, &row->result_length);
  row->created_at = sqlite3_column_double(rows, 13);
  row->updated_at = sqlite3_column_double(rows, 14);
  row->count = sqlite3_column_int(rows, 15);
  row->cost = sqlite3_column_int(rows, 16);
  row->attempts = sqlite3_column_int(rows, 17);
  row->status = sqlite3_column_int(rows, 18);
  row->account = text(rows, 19);
  row->attempt_id = text(rows, 20);
}

bool ledger_reader_next(LedgerReader *reader, LedgerRow *row,
                        Failure *failure) {
  int code = sqlite3_step(reader->rows);
  if (code == SQLITE_ROW) {
    read_row(reader->rows, row);
    code = sqlite3_errcode(reader->db); /* not all of it, without memory */
    if (code != SQLITE_NOMEM)
      return true;
  }
  if (code != SQLITE_DONE)
    failure_set(failure, "ledger", ledger_trouble(code),
                "the ledger cannot be read: %s", sqlite3_errmsg(reader->db));
  return false;
}

const char *ledger_reader_file(LedgerReader *reader, const char *key,
                               unsigned n) {
  sqlite3_reset(reader->files);
  sqlite3_bind_text(reader->files, 1, key, -1, SQLITE_TRANSIENT);
  sqlite3_bind_int(reader->files, 2, (int)n - 1);
  if (sqlite3_step(reader->files) != SQLITE_ROW)
    return NULL;
  return text(reader->files, 0);
}

void ledger_reader_close(LedgerReader *reader) {
  sqlite3_finalize(reader->rows);
  sqlite3_finalize(reader->files);
  sqlite3_close(reader->db);
  ledger_unlock(reader->lock, true);
  free(reader);
}
