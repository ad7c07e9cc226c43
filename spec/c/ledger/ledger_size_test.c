/* A ledger of any size: what is asked of it, and what opening it takes, grows
 * with the answer and not with the file. */
#include "folder.h"
#include "sql.h"

#include "engine/ledger/ledger.h"
#include "engine/ledger/ledger_query.h"
#include "engine/ledger/ledger_reader.h"
#include "engine/ledger/ledger_sql.h"

#include <sqlite3.h>

#define SMALL 200
#define LARGE 20000
#define LIMIT 10

static Folder folder;
static char small_path[PATH_MAX], large_path[PATH_MAX];

/* ---- the two files ---- */

static void open_and_close(const char *path) {
  Failure failure = {0};
  Ledger *ledger = ledger_open(path, &failure);
  check(ledger != NULL, "%s", failure.detail ? failure.detail : "");
  ledger_close(ledger);
}

/* Twenty are unfinished, however many there are. */
static const char fill[] =
    "BEGIN;"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < %d)"
    "INSERT INTO jobs (key, state, created_at, updated_at, base_url, count,"
    " cost, job_id, tenant, prompt) SELECT 'k' || i, CASE i %% (%d / 20)"
    " WHEN 0 THEN CASE i %% 4 WHEN 0 THEN 'intent' WHEN 1 THEN 'sent'"
    " WHEN 2 THEN 'accepted' ELSE 'unknown' END ELSE 'succeeded' END,"
    " 1000 + i, 1000 + i, 'http://a', 1, 10, 'id' || i,"
    " CASE WHEN i < 10 THEN 'few' WHEN i %% 3 = 0 THEN 'acme' ELSE '' END, 'a "
    "cup'"
    " FROM n;"
    "INSERT INTO tenants (id) VALUES ('acme'), ('few');"
    "INSERT INTO bodies (key, body) SELECT key, x'7b7d' FROM jobs;"
    "INSERT INTO bodies (key, answer) SELECT key, x'7b7d' FROM jobs;"
    "INSERT INTO files SELECT key, 1, '/' || key, 1 FROM jobs;"
    "COMMIT;";

static void make(const char *path, int rows) {
  char sql[sizeof fill + 40];
  open_and_close(path);
  snprintf(sql, sizeof sql, fill, rows, rows);
  run_sql_in(path, sql);
}

static int set_up(void **state) {
  (void)state;
  folder_make(&folder);
  make(folder_path(&folder, "small.db", small_path), SMALL);
  make(folder_path(&folder, "large.db", large_path), LARGE);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  folder_remove(&folder);
  return 0;
}

/* ---- plans ---- */

/* Every filter there is: what they hold is of no consequence to the plan. */
static LedgerFilter filter_of(unsigned bits) {
  return (LedgerFilter){.key = bits & 1 ? "k" : NULL,
                        .job_id = bits & 2 ? "id" : NULL,
                        .state = bits & 4 ? "sent" : NULL,
                        .since = bits & 8 ? 1 : 0,
                        .until = bits & 16 ? 1 : 0,
                        .unfinished = bits & 32,
                        .newest_first = bits & 64,
                        .tenant = bits & 128 ? "acme" : NULL};
}

#define FILTERS 256

static bool begins(const char *text, const char *beginning) {
  return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* How a plan must look for jobs, and what else it may do. */
typedef struct Expected {
  const char *jobs; /* NULL: by their index */
  bool sorting;     /* of a few: a job's files, or jobs with the same id */
} Expected;

static void check_step(const char *step, const char *sql,
                       const Expected *expected) {
  bool of_jobs = begins(step, "SCAN jobs") || begins(step, "SEARCH jobs");
  if (of_jobs && expected->jobs)
    check(begins(step, expected->jobs), "%s: %s", step, sql);
  else
    check(!begins(step, "SCAN") || begins(step, "SCAN CONSTANT"), "%s: %s",
          step, sql);
  check(!begins(step, "USE TEMP B-TREE") || expected->sorting, "%s: %s", step,
        sql);
  check(!strstr(step, "AUTOMATIC"), "%s: %s", step, sql);
}

static void check_plan(sqlite3 *db, const char *sql, const Expected *expected) {
  char explain[LEDGER_QUERY_MAX + 32];
  sqlite3_stmt *plan;
  int found = 0;
  snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql);
  check(sqlite3_prepare_v2(db, explain, -1, &plan, NULL) == SQLITE_OK, "%s: %s",
        sqlite3_errmsg(db), sql);
  for (; sqlite3_step(plan) == SQLITE_ROW; found++)
    check_step((const char *)sqlite3_column_text(plan, 3), sql, expected);
  sqlite3_finalize(plan);
  check(found > 0 || begins(sql, "INSERT"), "no plan: %s", sql);
}

static const char *jobs_by(const LedgerFilter *filter) {
  if (filter->key)
    return "SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (key=?";
  if (filter->job_id)
    return "SEARCH jobs USING INDEX jobs_by_id_and_time (job_id=?";
  if (filter->tenant && (filter->state || filter->unfinished))
    return "SEARCH jobs USING INDEX jobs_by_tenant_state_and_time (tenant=? "
           "AND "
           "state=?";
  if (filter->tenant)
    return "SEARCH jobs USING INDEX jobs_by_tenant_and_time (tenant=?";
  if (filter->state || filter->unfinished)
    return "SEARCH jobs USING INDEX jobs_by_state_and_time (state=?";
  if (filter->since > 0 || filter->until > 0)
    return "SEARCH jobs USING INDEX jobs_by_time (created_at";
  return "SCAN jobs USING INDEX jobs_by_time"; /* all, in its order */
}

static void check_plans(bool sorting) {
  const LedgerContents contents = {.version = 2, .indexed = true};
  char sql[LEDGER_QUERY_MAX];
  sqlite3 *db;
  assert_int_equal(sqlite3_open(large_path, &db), SQLITE_OK);
  for (unsigned bits = 0; bits < FILTERS; bits++) {
    LedgerFilter filter = filter_of(bits);
    Expected expected = {.jobs = jobs_by(&filter),
                         .sorting = sorting && filter.job_id};
    ledger_query(sql, &filter, &contents);
    assert_true(strlen(sql) < sizeof sql - 1);
    check_plan(db, sql, &expected);
  }
  assert_int_equal(ledger_sql_functions(db), SQLITE_OK);
  for (int i = 0; i < STATEMENTS; i++)
    check_plan(db, ledger_sql[i], &(Expected){0});
  check_plan(db, ledger_query_files, &(Expected){.sorting = true});
  sqlite3_close(db);
}

static void every_question_goes_through_an_index(void **state) {
  (void)state;
  check_plans(false);
}

/* ---- work ---- */

/* Of SQLite's machine, in all statements that have come to an end. */
static long steps;

static int count_steps(unsigned what, void *context, void *statement,
                       void *time) {
  (void)what, (void)context, (void)time;
  steps += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
  return 0;
}

/* Of every connection that is opened from now on. */
static int watch(sqlite3 *db, const char **why, const void *api) {
  (void)why, (void)api;
  return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, count_steps, NULL);
}

static long steps_to_open(const char *path) {
  steps = 0;
  open_and_close(path);
  return steps;
}

static long steps_to_read(const char *path, const LedgerFilter *filter,
                          int *rows) {
  Failure failure = {0};
  LedgerReader *reader;
  LedgerRow row;
  steps = 0;
  reader = ledger_reader_open(path, filter, &failure);
  check(reader != NULL, "%s", failure.detail ? failure.detail : "");
  for (*rows = 0; ledger_reader_next(reader, &row, &failure); ++*rows)
    assert_non_null(ledger_reader_file(reader, row.key, 1));
  assert_null(failure.kind);
  ledger_reader_close(reader);
  return steps;
}

/* A job from submit to the end. */
static long steps_to_work(const char *path, const char *key,
                          const char *tenant) {
  Failure failure = {0};
  Ledger *ledger = ledger_open(path, &failure);
  LedgerEntry entry = {.key = key,
                       .tenant = tenant,
                       .base_url = "http://a",
                       .count = 1,
                       .cost = 10,
                       .body = "{}",
                       .body_length = 2,
                       .attempt_id = "a",
                       .next_id = "b"};
  LedgerSend send = {.attempt_id = "a", .next_id = "b", .attempts = 1};
  LedgerNews made = {.state = "accepted", .job_id = key, .answer = "{}"};
  LedgerNews done = {.job_id = key, .base_url = "http://a", .result = "{"};
  assert_non_null(ledger);
  steps = 0;
  assert_true(ledger_intend(ledger, &entry, false, &failure));
  assert_true(ledger_permit(ledger, key, &send, &failure));
  assert_false(ledger_has_other(ledger, "http://a", key, key));
  made.answer_length = 2;
  ledger_tell(ledger, key, &made);
  done.result_length = 1;
  ledger_tell(ledger, NULL, &done);
  ledger_tell(ledger, key, &(LedgerNews){.state = "succeeded"});
  ledger_save_file(ledger, key, 1, "/new.png");
  assert_true(ledger_flush(ledger, &failure));
  ledger_close(ledger);
  return steps;
}

static void check_steps(const char *what, long small, long large) {
  check(small > 0, "%s: nothing was counted", what);
  check(large < small + small / 5 + 50, "%s: %ld steps, %ld in a large file",
        what, small, large);
}

static void opening_reads_a_part_of_the_file(void **state) {
  (void)state;
  check_steps("opening", steps_to_open(small_path), steps_to_open(large_path));
}

static void durations_take_the_same_in_a_large_file(void **state) {
  const char *const paths[] = {small_path, large_path};
  LedgerDuration found[LIMIT];
  long taken[2];
  (void)state;
  for (int i = 0; i < 2; i++) {
    Failure failure = {0};
    Ledger *ledger;
    run_sql_in(paths[i], "UPDATE jobs SET seconds = 25, mode = 'text-to-image'"
                         " WHERE rowid % 2");
    ledger = ledger_open(paths[i], &failure);
    steps = 0;
    assert_true(ledger_durations(ledger, "http://a", found, LIMIT) > 0);
    taken[i] = steps;
    ledger_close(ledger);
  }
  check_steps("durations", taken[0], taken[1]);
}

/* Whatever a user's ANALYZE has told SQLite, of a time when all jobs had one
 * state and no id. */
static void so_it_does_when_sqlite_knows_better(void **state) {
  (void)state;
  run_sql_in(large_path,
             "ANALYZE; UPDATE sqlite_stat1 SET stat = '20000 20000 1'"
             " WHERE idx LIKE '%_and_time';"
             "UPDATE sqlite_stat1 SET stat = '20000 20000 20000 1'"
             " WHERE idx LIKE '%_tenant_state_and_time'");
  check_plans(true);
  check_steps("opening", steps_to_open(small_path), steps_to_open(large_path));
  run_sql_in(large_path, "DROP TABLE sqlite_stat1");
}

static void a_job_takes_the_same_in_a_large_file(void **state) {
  (void)state;
  check_steps("a job", steps_to_work(small_path, "new", NULL),
              steps_to_work(large_path, "new", NULL));
  check_steps("a tenant's job", steps_to_work(small_path, "more", "acme"),
              steps_to_work(large_path, "more", "acme"));
}

/* With few rows, many, and none. */
static void questions_take_the_same_in_a_large_file(void **state) {
  static const LedgerFilter filters[] = {
      {.unfinished = true},
      {.limit = LIMIT},
      {.limit = LIMIT, .newest_first = true},
      {.limit = LIMIT, .key = "k7"},
      {.limit = LIMIT, .key = "none"},
      {.limit = LIMIT, .key = "k7", .state = "succeeded"},
      {.limit = LIMIT, .job_id = "id7", .newest_first = true},
      {.limit = LIMIT, .job_id = "none"},
      {.limit = LIMIT, .job_id = "id7", .state = "succeeded", .since = 1},
      {.limit = LIMIT, .state = "succeeded", .newest_first = true},
      {.limit = LIMIT, .state = "unknown", .newest_first = true},
      {.limit = LIMIT, .state = "abandoned", .newest_first = true},
      {.limit = LIMIT,
       .state = "succeeded",
       .until = 1030,
       .newest_first = true},
      {.limit = LIMIT, .state = "failed", .until = 1150, .newest_first = true},
      {.limit = LIMIT, .state = "succeeded", .since = 1100},
      {.limit = LIMIT, .since = 1100, .newest_first = true},
      {.limit = LIMIT, .until = 1100, .newest_first = true},
      {.limit = LIMIT, .since = 1100, .until = 1130, .newest_first = true},
      {.limit = LIMIT, .since = 90000, .newest_first = true},
      {.limit = LIMIT, .tenant = "acme", .newest_first = true},
      {.limit = LIMIT, .tenant = "few"},
      {.limit = LIMIT, .tenant = "none", .newest_first = true},
      {.limit = LIMIT, .tenant = "few", .since = 90000},
      {.limit = LIMIT, .tenant = "acme", .state = "abandoned"},
      {.limit = LIMIT, .tenant = "few", .state = "succeeded"},
      {.limit = LIMIT, .tenant = "acme", .unfinished = true},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(filters); i++) {
    char what[40];
    int few, many;
    long small = steps_to_read(small_path, &filters[i], &few);
    long large = steps_to_read(large_path, &filters[i], &many);
    snprintf(what, sizeof what, "filter %zu", i);
    check(few == many || i == 10, "%s: %d and %d rows", what, few, many);
    check_steps(what, small, large);
  }
}

/* ---- indexes ---- */

#define INDEX_NAMES                                                            \
  "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master"        \
  " WHERE type = 'index' AND sql IS NOT NULL ORDER BY name)"

static void assert_indexes(const char *expected) {
  sqlite3 *db;
  sqlite3_stmt *statement;
  assert_int_equal(sqlite3_open(small_path, &db), SQLITE_OK);
  sqlite3_prepare_v2(db, INDEX_NAMES, -1, &statement, NULL);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  assert_string_equal((const char *)sqlite3_column_text(statement, 0),
                      expected);
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

/* As the first files of this version were made: read as they are, and brought
 * up to date by who spends. */
static void a_file_without_them_gets_its_indexes(void **state) {
  static const char before[] =
      "DROP INDEX jobs_by_state_and_time; DROP INDEX jobs_by_id_and_time;"
      "DROP INDEX jobs_by_tenant_and_time;"
      "DROP INDEX jobs_by_tenant_state_and_time;"
      "CREATE INDEX jobs_by_state ON jobs (state);"
      "CREATE INDEX jobs_by_id ON jobs (job_id);";
  LedgerFilter unfinished = {.unfinished = true};
  LedgerFilter by_id = {.job_id = "id7"};
  int rows;
  (void)state;
  run_sql_in(small_path, before);
  assert_indexes("bodies_by_key jobs_by_id jobs_by_state jobs_by_time");
  steps_to_read(small_path, &unfinished, &rows);
  assert_int_equal(rows, 20);
  steps_to_read(small_path, &by_id, &rows);
  assert_int_equal(rows, 1);
  assert_indexes("bodies_by_key jobs_by_id jobs_by_state jobs_by_time");
  open_and_close(small_path);
  assert_indexes("bodies_by_key jobs_by_id_and_time jobs_by_state_and_time"
                 " jobs_by_tenant_and_time jobs_by_tenant_state_and_time"
                 " jobs_by_time");
  steps_to_read(small_path, &unfinished, &rows);
  assert_int_equal(rows, 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_question_goes_through_an_index),
      cmocka_unit_test(durations_take_the_same_in_a_large_file),
      cmocka_unit_test(so_it_does_when_sqlite_knows_better),
      cmocka_unit_test(opening_reads_a_part_of_the_file),
      cmocka_unit_test(questions_take_the_same_in_a_large_file),
      cmocka_unit_test(a_job_takes_the_same_in_a_large_file),
      cmocka_unit_test(a_file_without_them_gets_its_indexes),
  };
  sqlite3_auto_extension((void (*)(void))watch);
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
