/* The ledger's tables: what a file of version 0.1 becomes, at any moment. */
#include "folder.h"
#include "sql.h"

#include "engine/base/buffer.h"
#include "engine/ledger/ledger.h"
#include "engine/ledger/ledger_reader.h"
#include "engine/store/ledger_open.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static Folder folder;
static char path[PATH_MAX];
static char log_path[PATH_MAX];

static int set_up(void **state) {
  (void)state;
  folder_make(&folder);
  folder_path(&folder, "renders.db", path);
  folder_path(&folder, "renders.db-wal", log_path);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  folder_remove(&folder);
  return 0;
}

/* As version 0.1 made it. */
static const char version_1[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE jobs ("
    " key TEXT PRIMARY KEY NOT NULL,"
    " state TEXT NOT NULL,"
    " charged TEXT NOT NULL DEFAULT 'no',"
    " created_at REAL NOT NULL,"
    " updated_at REAL NOT NULL,"
    " base_url TEXT NOT NULL,"
    " mode TEXT, prompt TEXT, ratio TEXT,"
    " count INTEGER NOT NULL, cost INTEGER NOT NULL,"
    " metadata TEXT,"
    " job_id TEXT,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " http_status INTEGER,"
    " error TEXT,"
    " body BLOB NOT NULL,"
    " answer BLOB,"
    " result BLOB);"
    "CREATE INDEX jobs_by_state ON jobs (state);"
    "CREATE INDEX jobs_by_id ON jobs (job_id);"
    "CREATE INDEX jobs_by_time ON jobs (created_at);"
    "CREATE TABLE files ("
    " key TEXT NOT NULL REFERENCES jobs (key),"
    " n INTEGER NOT NULL,"
    " path TEXT NOT NULL,"
    " saved_at REAL NOT NULL,"
    " PRIMARY KEY (key, n, path));"
    "CREATE VIEW spending AS SELECT"
    " datetime(created_at, 'unixepoch') AS created, state, charged, cost,"
    " metadata, prompt, job_id, key FROM jobs ORDER BY created_at;"
    "PRAGMA application_id = 1735420210;"
    "PRAGMA user_version = 1;";

/* Each state, full and empty columns, rows of one moment; a view of the
 * user's. */
static const char version_1_rows[] =
    "INSERT INTO jobs (key, state, created_at, updated_at, base_url, count,"
    " cost, body) VALUES ('empty', 'intent', 5.5, 6, 'http://a', 1, 10, '{}');"
    "WITH states (n, state) AS (VALUES (1, 'intent'), (2, 'sent'),"
    " (3, 'accepted'), (4, 'unknown'), (5, 'succeeded'), (6, 'failed'),"
    " (7, 'refused'), (8, 'unsent'), (9, 'cancelled'), (10, 'abandoned'))"
    "INSERT INTO jobs SELECT 'k' || (11 - n), state, 'unknown', 5.5, 7.25,"
    " 'http://b', 'text-to-image', hex(zeroblob(n * 300)), '16:9', n, 10 * n,"
    " '{\"a\":\"b\"}', 'id' || n, n, 200 + n, 'e' || n,"
    " CAST('{' || hex(zeroblob(3000)) || '}' AS BLOB),"
    " CAST('answer' || n AS BLOB), CASE WHEN n > 4 THEN x'0001FF' END"
    " FROM states;"
    "INSERT INTO files VALUES ('k6', 1, '/a.png', 8.5), ('k6', 2, '/b.png', 9);"
    "CREATE VIEW own AS SELECT key, body FROM jobs;";

/* The first column of the first row as a number. */
static int ask(const char *sql) {
  sqlite3 *db;
  sqlite3_stmt *statement;
  int number = -1;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL),
                   SQLITE_OK);
  if (sqlite3_step(statement) == SQLITE_ROW)
    number = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return number;
}

/* The bytes of such a file, made once: a sync may take its time. */
static struct {
  char *bytes;
  size_t length;
} old_file;

static int make_old_file(void **state) {
  FILE *file;
  struct stat info;
  set_up(state);
  run_sql_in(path, version_1);
  run_sql_in(path, version_1_rows);
  assert_int_equal(stat(path, &info), 0);
  old_file.length = (size_t)info.st_size;
  old_file.bytes = malloc(old_file.length);
  assert_non_null(old_file.bytes);
  file = fopen(path, "rb");
  assert_int_equal(fread(old_file.bytes, 1, old_file.length, file),
                   old_file.length);
  fclose(file);
  return tear_down(state);
}

static int forget_old_file(void **state) {
  (void)state;
  free(old_file.bytes);
  return 0;
}

static void make_version_1(void) {
  char index_path[PATH_MAX];
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  fwrite(old_file.bytes, 1, old_file.length, file);
  assert_int_equal(fclose(file), 0);
  unlink(log_path);
  unlink(folder_path(&folder, "renders.db-shm", index_path));
}

static void add(Buffer *buffer, const char *text, size_t length) {
  assert_true(buffer_append(buffer, text ? text : "NULL", text ? length : 4));
  assert_true(buffer_append(buffer, "\n", 1));
}

static void add_text(Buffer *buffer, const char *text) {
  add(buffer, text, text ? strlen(text) : 0);
}

static void add_row(Buffer *buffer, LedgerReader *reader,
                    const LedgerRow *row) {
  const char *const texts[] = {
      row->key,    row->state, row->charged,  row->mode,   row->base_url,
      row->prompt, row->ratio, row->metadata, row->job_id, row->error};
  char numbers[160];
  const char *file;
  for (size_t i = 0; i < COUNT(texts); i++)
    add_text(buffer, texts[i]);
  add(buffer, row->body, row->body_length);
  add(buffer, row->answer, row->answer_length);
  add(buffer, row->result, row->result_length);
  snprintf(numbers, sizeof numbers, "%g %g %d %d %d %d", row->created_at,
           row->updated_at, row->count, row->cost, row->attempts, row->status);
  add_text(buffer, numbers);
  for (unsigned n = 1; (file = ledger_reader_file(reader, row->key, n)); n++)
    add_text(buffer, file);
}

/* All that a reader tells, as text: to be freed by the caller. */
static char *read_all(void) {
  Buffer buffer;
  Failure failure = {0};
  LedgerReader *reader = ledger_reader_open(path, &(LedgerFilter){0}, &failure);
  LedgerRow row;
  char *all;
  check(reader != NULL, "%s", failure.detail ? failure.detail : "");
  buffer_init(&buffer, 4 << 20);
  while (ledger_reader_next(reader, &row, &failure))
    add_row(&buffer, reader, &row);
  assert_null(failure.kind);
  ledger_reader_close(reader);
  for (size_t i = 0; i < buffer.length; i++)
    if (!buffer.data[i])
      buffer.data[i] = '@';
  all = strndup(buffer.data, buffer.length);
  buffer_free(&buffer);
  return all;
}

static void assert_tells(const char *what) {
  char *now = read_all();
  check(strcmp(now, what) == 0, "it tells something else now");
  free(now);
}

static void bring_up_to_date(void) {
  Failure failure = {0};
  Ledger *ledger = ledger_open(path, &failure);
  check(ledger != NULL, "%s", failure.detail ? failure.detail : "");
  ledger_close(ledger);
}

#define VERSION "SELECT user_version FROM pragma_user_version"
#define SOUND "SELECT quick_check = 'ok' FROM pragma_quick_check"

static void a_reader_leaves_an_older_file_as_it_is(void **state) {
  char *before;
  (void)state;
  make_version_1();
  before = read_all();
  assert_non_null(strstr(before, "\n/a.png\n/b.png\n"));
  assert_non_null(strstr(before, "answer4\nNULL\n"));
  free(before);
  assert_int_equal(ask(VERSION), 1);
}

static void an_older_file_keeps_all_it_holds(void **state) {
  char *before;
  (void)state;
  make_version_1();
  before = read_all();
  bring_up_to_date();
  assert_int_equal(ask(VERSION), 2);
  assert_tells(before);
  free(before);
  assert_int_equal(ask("SELECT count(*) FROM jobs WHERE account IS NULL"
                       " AND tenant = '' AND owner IS NULL"),
                   11);
  assert_int_equal(ask("SELECT count(*) FROM bodies WHERE body IS NULL"), 10);
  assert_int_equal(ask("SELECT sum(cost) FROM spending"), 560);
  assert_int_equal(ask("SELECT count(*) FROM jobs JOIN files USING (key)"), 2);
  assert_int_equal(ask(SOUND), 1);
  run_sql_in(path, "DROP VIEW own");
}

/* What is in sqlite_master, our own names alone. */
static int fingerprint(char *text, size_t size) {
  sqlite3 *db;
  sqlite3_stmt *statement;
  int rows = 0;
  text[0] = '\0';
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  sqlite3_prepare_v2(db,
                     "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
                     " AND name <> 'own' ORDER BY name",
                     -1, &statement, NULL);
  for (; sqlite3_step(statement) == SQLITE_ROW; rows++)
    strncat(text, (const char *)sqlite3_column_text(statement, 0),
            size - strlen(text) - 1);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return rows;
}

static void an_older_file_becomes_what_a_new_one_is(void **state) {
  char made[8192], upgraded[8192];
  (void)state;
  bring_up_to_date();
  assert_true(fingerprint(made, sizeof made) > 9);
  make_version_1();
  bring_up_to_date();
  fingerprint(upgraded, sizeof upgraded);
  assert_string_equal(made, upgraded);
}

/* As a client does it, who hears of a limit; or without that. */
static bool upgrade(bool killed) {
  Failure failure = {0};
  LedgerContents contents;
  sqlite3 *db;
  if (!killed)
    return ledger_open(path, &failure);
  db = ledger_open_writer(path, &contents, &failure);
  return db && ledger_set_up(db, path, &contents, &failure);
}

/* In a process of its own that may write so far into a file: 0 = it came to its
 * end, 1 = it was refused, 2 = it was killed. */
static int upgrade_within(rlim_t bytes, bool killed) {
  int status;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    struct rlimit limit = {bytes, bytes};
    signal(SIGXFSZ, SIG_DFL);
    limit.rlim_max = RLIM_INFINITY;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setrlimit(RLIMIT_FSIZE, &limit);
    /* As another program: who looks for leaks looks in the parent. */
    _exit(execlp(upgrade(killed) ? "true" : "false", "end", (char *)NULL));
  }
  while (waitpid(child, &status, 0) < 0)
    assert_int_equal(errno, EINTR);
  return WIFSIGNALED(status) ? 2 : WEXITSTATUS(status);
}

/* The disk ends, or the process does, at many a page it writes: the file is the
 * one or the other, whole, and the next one brings it up to date. */
static void upgrade_cut_short(bool killed) {
  const rlim_t page = 4096, first = 36864; /* the log's index is so long */
  int cut = 0, how = -1;
  char *before;
  make_version_1();
  before = read_all();
  for (rlim_t bytes = first; how != 0; bytes += 4 * page) {
    check(bytes < 4000000, "it never comes to its end");
    make_version_1();
    how = upgrade_within(bytes, killed);
    if (how == 0)
      break;
    cut++;
    assert_int_equal(how, killed ? 2 : 1);
    assert_int_equal(ask(VERSION), 1);
    assert_int_equal(ask(SOUND), 1);
    assert_tells(before);
    if (cut % 4 == 0) {
      bring_up_to_date();
      assert_int_equal(ask(VERSION), 2);
      assert_tells(before);
    }
  }
  assert_int_equal(ask(VERSION), 2);
  assert_tells(before);
  assert_true(cut > 6);
  free(before);
}

static void killed_at_any_page_it_is_old_or_new(void **state) {
  (void)state;
  upgrade_cut_short(true);
}

static void on_a_full_disk_it_stays_as_it_was(void **state) {
  (void)state;
  upgrade_cut_short(false);
}

/* ---- what a long prompt costs ---- */

static long log_bytes(void) {
  struct stat info;
  return stat(log_path, &info) == 0 ? (long)info.st_size : 0;
}

/* Makes it durable; how much of the log that took. */
static long flushed(Ledger *ledger) {
  long before = log_bytes();
  Failure failure = {0};
  assert_true(ledger_flush(ledger, &failure));
  return log_bytes() - before;
}

/* All but the record of the intent are small: prompt and request are written
 * once. */
static void a_long_prompt_is_written_once(void **state) {
  static char prompt[20001], body[20101], answer[300], result[1500];
  static const char id[] = "01234567-89ab-4cde-8f01-23456789abcd";
  static const LedgerNews news[] = {
      {.state = "sent", .charged = "unknown", .attempts = 1},
      {.state = "accepted",
       .charged = "yes",
       .status = 200,
       .answer = answer,
       .answer_length = sizeof answer},
      {.job_id = id},
      {.result = result, .result_length = sizeof result},
      {.state = "succeeded", .charged = "yes"}};
  Failure failure = {0};
  Ledger *ledger = ledger_open(path, &failure);
  LedgerEntry entry = {.key = "k",
                       .base_url = "http://localhost:1",
                       .prompt = prompt,
                       .body = body,
                       .count = 1,
                       .cost = 10,
                       .body_length = sizeof body - 1};
  long total;
  (void)state;
  assert_non_null(ledger);
  memset(prompt, 'p', sizeof prompt - 1);
  memset(body, 'b', sizeof body - 1);
  assert_true(ledger_intend(ledger, &entry, false, &failure));
  total = flushed(ledger);
  for (size_t i = 0; i < COUNT(news); i++) {
    long bytes;
    ledger_tell(ledger, "k", &news[i]);
    bytes = flushed(ledger);
    check(bytes < 40000, "news %zu: %ld bytes", i, bytes);
    total += bytes;
  }
  check(total < 160000, "%ld bytes in all", total);
  ledger_close(ledger);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_reader_leaves_an_older_file_as_it_is),
      TEST(an_older_file_keeps_all_it_holds),
      TEST(an_older_file_becomes_what_a_new_one_is),
      TEST(killed_at_any_page_it_is_old_or_new),
      TEST(on_a_full_disk_it_stays_as_it_was),
      TEST(a_long_prompt_is_written_once),
  };
  return cmocka_run_group_tests(tests, make_old_file, forget_old_file);
}
