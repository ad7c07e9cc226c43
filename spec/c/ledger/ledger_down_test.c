/* A ledger that cannot be written to, for a while or for good. */
#include "child.h"
#include "one_ledger.h"

#include "engine/base/clock.h"

#include <fcntl.h>

static void assert_down(Ledger *ledger, bool broken, const char *code) {
  LedgerEntry entry = entry_for("l");
  Failure failure = {0};
  for (int i = 0; i < 2; i++) {
    assert_false(ledger_intend(ledger, &entry, false, &failure));
    assert_string_equal(failure.kind, "ledger");
    assert_string_equal(failure.code, code);
    failure_clear(&failure);
    assert_false(ledger_flush(ledger, &failure));
    assert_string_equal(failure.code, code);
    failure_clear(&failure);
    assert_true(ledger_is_down(ledger));
    assert_int_equal(ledger_is_broken(ledger), broken);
    assert_false(ledger_restart(ledger, false));
  }
}

/* What was told meanwhile is written once it can be. */
static void a_ledger_that_is_down_keeps_what_it_is_told(void **state) {
  Ledger *ledger = open_ledger();
  Failure failure = {0};
  LedgerReader *reader;
  LedgerRow row;
  sqlite3 *other;
  (void)state;
  intend(ledger, "k");
  flush(ledger);
  assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
  sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  assert_down(ledger, false, "ledger_unwritable"); /* before there is news */
  assert_true(ledger_is_busy(ledger));
  ledger_tell(ledger, "k", &(LedgerNews){.error = "told_while_down"});
  sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
  assert_true(ledger_restart(ledger, false));
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.error, "told_while_down");
  ledger_reader_close(reader);
  sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  ledger_tell(
      ledger, "k",
      &(LedgerNews){.state = "accepted", .answer = "{1}", .answer_length = 3});
  ledger_tell(ledger, "k", &(LedgerNews){.job_id = "id-1"});
  assert_down(ledger, false, "ledger_unwritable");
  assert_false(ledger_settle(ledger, "k", &(LedgerNews){.state = "abandoned"},
                             &failure)); /* and that is forgotten */
  failure_clear(&failure);
  ledger_tell(ledger, "k", &(LedgerNews){.charged = "yes"});
  ledger_save_file(ledger, "k", 1, "/a.png");
  sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
  assert_true(ledger_restart(ledger, false));
  intend(ledger, "l");
  flush(ledger);
  assert_false(ledger_is_down(ledger) || ledger_is_busy(ledger));
  reader = first_row(&row);
  assert_string_equal(row.state, "accepted");
  assert_string_equal(row.charged, "yes");
  assert_string_equal(row.job_id, "id-1");
  assert_memory_equal(row.answer, "{1}", 3);
  assert_string_equal(ledger_reader_file(reader, "k", 1), "/a.png");
  ledger_reader_close(reader);
  sqlite3_close(other);
  assert_string_equal(find(&(LedgerFilter){0}), "kl");
  ledger_close(ledger);
}

static void a_broken_ledger_stays_broken_and_says_why(void **state) {
  Ledger *ledger = open_ledger();
  (void)state;
  intend(ledger, "k");
  flush(ledger);
  run_sql("ALTER TABLE jobs RENAME TO stolen");
  assert_down(ledger, true, "ledger_damaged");
  assert_false(ledger_is_busy(ledger));
  ledger_tell(ledger, "k", &(LedgerNews){.state = "sent"}); /* nothing */
  ledger_save_file(ledger, "k", 1, "/a.png");
  ledger_close(ledger);
}

/* A stranger has all that a reader would have to lock. */
static bool lock_readers(void) {
  enum { FIRST = 123, COUNTED = 5 }; /* SQLite's "WAL-Index Locks" */
  struct flock locks = {.l_type = F_WRLCK,
                        .l_whence = SEEK_SET,
                        .l_start = FIRST,
                        .l_len = COUNTED};
  char name[PATH_MAX];
  int fd = open(folder_path(&folder, "renders.db-shm", name), O_RDWR);
  return fd >= 0 && fcntl(fd, F_SETLK, &locks) == 0;
}

/* SQLite by itself gives up after ten seconds, in which nobody's job goes on.
 */
static void a_lock_that_is_held_for_long_is_waited_for(void **state) {
  Ledger *ledger = open_ledger();
  int fds[2];
  bool locked;
  double began;
  pid_t child;
  (void)state;
  intend(ledger, "k");
  flush(ledger);
  child = start_child(lock_readers, fds, &locked);
  assert_true(locked);
  began = clock_monotonic();
  assert_down(ledger, false, "ledger_unwritable");
  assert_true(clock_monotonic() - began < 5);
  end_child(child, fds);
  assert_true(ledger_restart(ledger, true));
  intend(ledger, "l");
  flush(ledger);
  ledger_close(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "kl");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_ledger_that_is_down_keeps_what_it_is_told),
      TEST(a_broken_ledger_stays_broken_and_says_why),
      TEST(a_lock_that_is_held_for_long_is_waited_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
