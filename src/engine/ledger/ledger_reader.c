/* Reading a ledger: see ledger_reader.h. */
#include "ledger_reader.h"

#include "engine/files/file_limit.h"
#include "engine/store/ledger_audit.h"
#include "engine/store/ledger_check.h"
#include "engine/store/ledger_file.h"
#include "engine/store/ledger_lock.h"
#include "engine/store/ledger_open.h"
#include "engine/store/ledger_tenant.h"
#include "ledger_query.h"

#include <stdlib.h>
#include <string.h>

struct LedgerReader {
  LedgerLock *lock; /* joined */
  sqlite3 *db;
  sqlite3_stmt *rows; /* NULL = nobody has made its tables yet */
  sqlite3_stmt *files;
  LedgerContents contents;
  LedgerAudit audit;
  bool made_log;  /* there was none before */
  int files_code; /* what became of reading the last one */
};

/* Whoever meets damage stops the spending on the file. */
static void look_for_damage(const LedgerReader *reader,
                            const Failure *failure) {
  if (strcmp(failure->code, "ledger_damaged") == 0)
    ledger_lock_found_damage(reader->lock);
}

static void explain(const LedgerReader *reader, int code, Failure *failure) {
  failure_set(failure, "ledger", ledger_trouble(code),
              "the ledger '%.300s' cannot be read: %s",
              sqlite3_db_filename(reader->db, "main"),
              sqlite3_errmsg(reader->db));
  look_for_damage(reader, failure);
}

/* The connection, at the version of its tables. */
static bool open_file(LedgerReader *reader, const char *path,
                      const LedgerFilter *filter, LedgerContents *contents,
                      Failure *failure) {
  struct stat info;
  if (!ledger_file_check(path, filter->any_owner, &info, failure) ||
      !ledger_file_is_meant(path, &info, filter->file, failure))
    return false;
  reader->lock = ledger_lock_join(&info);
  if (!reader->lock) {
    failure_set(failure, "ledger", "ledger_unopenable", "out of memory");
    return false;
  }
  reader->made_log = !ledger_has_log(path);
  reader->db = ledger_open_reader(path, contents, failure);
  if (!reader->db)
    look_for_damage(reader, failure);
  return reader->db != NULL;
}

static bool prepare(LedgerReader *reader, const LedgerFilter *filter,
                    const LedgerContents *contents, Failure *failure) {
  char sql[LEDGER_QUERY_MAX];
  if (contents->version == 0)
    return true;
  ledger_query(sql, filter, contents);
  if (sqlite3_prepare_v2(reader->db, sql, -1, &reader->rows, NULL) ==
          SQLITE_OK &&
      sqlite3_prepare_v2(reader->db, ledger_query_files, -1, &reader->files,
                         NULL) == SQLITE_OK &&
      ledger_query_bind(reader->rows, filter))
    return true;
  explain(reader, sqlite3_errcode(reader->db), failure);
  return false;
}

static LedgerReader *open_reader(const char *path, const LedgerFilter *filter,
                                 Failure *failure) {
  LedgerReader *reader = calloc(1, sizeof *reader);
  char *whole = reader ? ledger_file_path(path, failure) : NULL;
  bool ok = whole &&
            open_file(reader, whole, filter, &reader->contents, failure) &&
            prepare(reader, filter, &reader->contents, failure);
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
  row->tenant = text(rows, 21);
  row->owner = text(rows, 22);
}

bool ledger_reader_next(LedgerReader *reader, LedgerRow *row,
                        Failure *failure) {
  int code = reader->files_code;
  if (!reader->rows)
    return false;
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
    code = sqlite3_step(reader->rows);
  if (code == SQLITE_ROW) {
    read_row(reader->rows, row);
    code = sqlite3_errcode(reader->db); /* not all of it, without memory */
    if (code != SQLITE_NOMEM)
      return true;
  }
  if (code != SQLITE_DONE)
    explain(reader, code, failure);
  return false;
}

bool ledger_reader_find(LedgerReader *reader, const char *key, LedgerRow *row,
                        Failure *failure) {
  if (!reader->rows)
    return false;
  sqlite3_reset(reader->rows);
  if (sqlite3_bind_text(reader->rows, 1, key, -1, SQLITE_TRANSIENT) ==
      SQLITE_OK)
    return ledger_reader_next(reader, row, failure);
  explain(reader, sqlite3_errcode(reader->db), failure);
  return false;
}

const char *ledger_reader_file(LedgerReader *reader, const char *key,
                               unsigned n) {
  if (n == 1) {
    sqlite3_reset(reader->files);
    sqlite3_bind_text(reader->files, 1, key, -1, SQLITE_TRANSIENT);
  }
  reader->files_code = sqlite3_step(reader->files);
  return reader->files_code == SQLITE_ROW ? text(reader->files, 0) : NULL;
}

bool ledger_reader_finding(LedgerReader *reader, LedgerFinding *finding,
                           Failure *failure) {
  int code;
  if (ledger_audit_next(&reader->audit, reader->db, &reader->contents, finding,
                        &code))
    return true;
  if (code != SQLITE_DONE)
    explain(reader, code, failure);
  return false;
}

bool ledger_reader_is_at_work(const LedgerReader *reader, const char *worker) {
  return ledger_lock_is_alive(reader->lock, worker);
}

int ledger_reader_version(const LedgerReader *reader) {
  return (int)reader->contents.version;
}

bool ledger_reader_tenant(LedgerReader *reader, const char *name,
                          Tenant *tenant, Failure *failure) {
  int code = ledger_tenant_look(reader->db, name, tenant);
  if (code == SQLITE_ROW || code == SQLITE_DONE)
    return true;
  explain(reader, code, failure);
  return false;
}

/* Older tables have none. */
bool ledger_reader_next_tenant(LedgerReader *reader,
                               char name[TENANT_NAME_MAX + 1], Tenant *tenant,
                               Failure *failure) {
  int code = SQLITE_DONE;
  if (reader->contents.version > 1)
    code = ledger_tenant_after(reader->db, name, tenant);
  if (code != SQLITE_ROW && code != SQLITE_DONE)
    explain(reader, code, failure);
  return code == SQLITE_ROW;
}

/* Closes the connection; nothing that it made stays beside the file. */
static void close_file(LedgerReader *reader) {
  const char *name =
      reader->db ? sqlite3_db_filename(reader->db, "main") : NULL;
  char *path = reader->made_log && name ? strdup(name) : NULL;
  FileLimit limit;
  sqlite3_close(reader->db);
  if (!path)
    return;
  file_limit_hold(&limit);
  ledger_clear_log(path);
  file_limit_release(&limit);
  free(path);
}

void ledger_reader_close(LedgerReader *reader) {
  ledger_audit_end(&reader->audit);
  sqlite3_finalize(reader->rows);
  sqlite3_finalize(reader->files);
  close_file(reader);
  ledger_unlock(reader->lock, true);
  free(reader);
}
