/* A ledger with a page that is damaged: refused where opening reads it, else
 * opened; whoever meets it stops all spending. */
#include "folder.h"
#include "sql.h"

#include "engine/ledger/ledger.h"
#include "engine/ledger/ledger_reader.h"

#include <sqlite3.h>

#define PAGE 4096
#define ROWS 1500
#define TABLE_LEAF 13 /* the first byte of such a page */
#define INDEX_LEAF 10

static Folder folder;
static char path[PATH_MAX];

static Ledger *open_ledger(void) {
  Failure failure = {0};
  Ledger *ledger = ledger_open(path, &failure);
  check(ledger != NULL, "%s", failure.detail ? failure.detail : "");
  return ledger;
}

static int set_up(void **state) {
  (void)state;
  folder_make(&folder);
  folder_path(&folder, "renders.db", path);
  ledger_close(open_ledger());
  run_sql_in(
      path,
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
      " WHERE i < 1500)"
      "INSERT INTO jobs (key, state, created_at, updated_at, base_url,"
      " count, cost, attempt_id, job_id, prompt) SELECT 'key' || i || '.',"
      " 'intent', i, i, 'http://a', 1, 10, 'a', 'id' || i || '.',"
      " 'row' || i || '.' || hex(zeroblob(100)) FROM n");
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  folder_remove(&folder);
  return 0;
}

/* ---- the damage ---- */

/* The offset of the first page of that kind with the text in it, and of the
 * text itself. */
static long find(FILE *file, unsigned char kind, const char *text, long *at) {
  char page[PAGE];
  for (long offset = 0; fread(page, 1, PAGE, file) == PAGE; offset += PAGE)
    for (size_t i = 0; (unsigned char)page[0] == kind && i < PAGE; i++)
      if (i + strlen(text) <= PAGE && !memcmp(page + i, text, strlen(text))) {
        *at = offset + (long)i;
        return offset;
      }
  fail_msg("'%s' is not in the file", text);
  return 0;
}

/* Overwrites what begins `from` bytes after the page's beginning. */
static void damage(unsigned char kind, const char *text, long from,
                   const char *bytes, size_t length) {
  FILE *file = fopen(path, "r+b");
  long at, page;
  assert_non_null(file);
  page = find(file, kind, text, &at);
  assert_int_equal(fseek(file, page + from, SEEK_SET), 0);
  assert_int_equal(fwrite(bytes, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

/* Of a page, the beginning: nothing of it can be read. */
static void damage_page(unsigned char kind, const char *text) {
  static char nonsense[64];
  memset(nonsense, 0xff, sizeof nonsense);
  damage(kind, text, 0, nonsense, sizeof nonsense);
}

/* ---- who meets it ---- */

static void assert_code(Failure *failure, const char *code) {
  assert_string_equal(failure->kind, "ledger");
  assert_string_equal(failure->code, code);
  failure_clear(failure);
}

static void assert_refused(void) {
  Failure failure = {0};
  assert_null(ledger_open(path, &failure));
  assert_code(&failure, "ledger_damaged");
}

/* Nobody may spend, neither on a new job nor on one that is there. */
static void assert_spends_nothing(Ledger *ledger) {
  LedgerEntry entry = {.key = "new",
                       .base_url = "http://a",
                       .body = "{}",
                       .body_length = 2,
                       .attempt_id = "b"};
  Failure failure = {0};
  assert_false(ledger_may_spend(ledger, &failure) &&
               ledger_flush(ledger, &failure));
  assert_code(&failure, "ledger_damaged");
  assert_false(ledger_intend(ledger, &entry, false, &failure));
  assert_code(&failure, "ledger_damaged");
}

static void assert_broken(Ledger *ledger) {
  assert_true(ledger_is_down(ledger));
  assert_true(ledger_is_broken(ledger));
  assert_spends_nothing(ledger);
}

/* How many rows come before the end, or before the damage: then with its code.
 */
static int count_rows(const LedgerFilter *filter, const char *code) {
  Failure failure = {0};
  LedgerReader *reader = ledger_reader_open(path, filter, &failure);
  LedgerRow row;
  int count = 0;
  check(reader != NULL, "%s", failure.detail ? failure.detail : "");
  while (ledger_reader_next(reader, &row, &failure)) {
    count++;
    ledger_reader_file(reader, row.key, 1);
  }
  if (code)
    assert_code(&failure, code);
  else
    assert_null(failure.kind);
  ledger_reader_close(reader);
  return count;
}

static bool permit(Ledger *ledger, const char *key, Failure *failure) {
  LedgerSend send = {.attempt_id = "a", .next_id = "a-1", .attempts = 1};
  return ledger_permit(ledger, key, &send, failure);
}

/* ---- the tests ---- */

static void opening_meets_what_is_at_the_ends(void **state) {
  (void)state;
  damage_page(TABLE_LEAF, "row1500.");
  assert_refused();
}

static void opening_meets_a_damaged_index_at_its_ends(void **state) {
  (void)state;
  damage_page(INDEX_LEAF, "id999.");
  assert_refused();
}

/* What is rewritten is read first. */
static void a_file_to_be_brought_up_to_date_is_read_as_a_whole(void **state) {
  (void)state;
  run_sql_in(path,
             "DROP INDEX jobs_by_state_and_time;"
             "INSERT INTO bodies (key, body) SELECT key, 'body of ' || key"
             " FROM jobs");
  damage_page(TABLE_LEAF, "body of key700.");
  assert_refused();
}

static void a_reader_that_meets_it_stops_the_spending(void **state) {
  Ledger *ledger;
  (void)state;
  damage_page(TABLE_LEAF, "row700.");
  ledger = open_ledger();
  assert_int_equal(count_rows(&(LedgerFilter){.limit = 100}, NULL), 100);
  assert_true(ledger_may_spend(ledger, &(Failure){0}));
  assert_true(
      count_rows(&(LedgerFilter){.unfinished = true}, "ledger_damaged") < 700);
  assert_spends_nothing(ledger);
  assert_false(ledger_is_down(ledger)); /* what is known is still recorded */
  ledger_close(ledger);
  ledger = open_ledger(); /* until somebody meets it again */
  assert_true(ledger_may_spend(ledger, &(Failure){0}));
  ledger_close(ledger);
}

static void so_does_one_that_cannot_even_open_it(void **state) {
  Ledger *ledger = open_ledger();
  LedgerFilter all = {0};
  Failure failure = {0};
  (void)state;
  run_sql_in(path, "ALTER TABLE jobs RENAME TO stolen");
  assert_null(ledger_reader_open(path, &all, &failure));
  assert_code(&failure, "ledger_damaged");
  assert_false(ledger_may_spend(ledger, &failure));
  assert_code(&failure, "ledger_damaged");
  ledger_close(ledger);
}

/* Whoever reads one row of a page has looked at all of them. */
static void a_page_is_looked_at_as_a_whole(void **state) {
  static const char nowhere[] = {0, 1};
  (void)state;
  damage(TABLE_LEAF, "row700.", 8, nowhere, 2); /* where its first row begins */
  assert_int_equal(
      count_rows(&(LedgerFilter){.key = "key700."}, "ledger_damaged"), 0);
}

static void files_that_cannot_be_read_are_told(void **state) {
  (void)state;
  run_sql_in(path, "INSERT INTO files SELECT key, 1, '/' || key, 1 FROM jobs");
  damage_page(TABLE_LEAF, "/key700.");
  assert_int_equal(count_rows(&(LedgerFilter){.key = "key1."}, NULL), 1);
  assert_int_equal(
      count_rows(&(LedgerFilter){.key = "key700."}, "ledger_damaged"), 1);
}

static void no_permission_is_given_by_a_damaged_row(void **state) {
  Ledger *ledger;
  Failure failure = {0};
  (void)state;
  damage_page(TABLE_LEAF, "row700.");
  ledger = open_ledger();
  assert_true(permit(ledger, "key1.", &failure));
  assert_true(ledger_flush(ledger, &failure));
  assert_false(permit(ledger, "key700.", &failure));
  assert_code(&failure, "ledger_damaged");
  assert_broken(ledger);
  ledger_close(ledger);
}

static void nor_by_a_damaged_index(void **state) {
  Ledger *ledger;
  Failure failure = {0};
  (void)state;
  damage_page(INDEX_LEAF, "key700.");
  ledger = open_ledger();
  assert_false(permit(ledger, "key700.", &failure));
  assert_code(&failure, "ledger_damaged");
  assert_broken(ledger);
  ledger_close(ledger);
}

static void whose_an_id_is_cannot_be_told(void **state) {
  Ledger *ledger;
  (void)state;
  damage_page(INDEX_LEAF, "id700.");
  ledger = open_ledger();
  assert_true(ledger_has_other(ledger, "http://a", "id1.", "other"));
  assert_false(ledger_has_other(ledger, "http://a", "id700.", "other"));
  assert_broken(ledger);
  ledger_close(ledger);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(opening_meets_what_is_at_the_ends),
      TEST(opening_meets_a_damaged_index_at_its_ends),
      TEST(a_file_to_be_brought_up_to_date_is_read_as_a_whole),
      TEST(a_reader_that_meets_it_stops_the_spending),
      TEST(so_does_one_that_cannot_even_open_it),
      TEST(a_page_is_looked_at_as_a_whole),
      TEST(files_that_cannot_be_read_are_told),
      TEST(no_permission_is_given_by_a_damaged_row),
      TEST(nor_by_a_damaged_index),
      TEST(whose_an_id_is_cannot_be_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
