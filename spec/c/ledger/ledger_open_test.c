/* Opening a ledger: what is none, and whose its file is. */
#include "one_ledger.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void only_ledgers_are_opened(void **state) {
  char other[PATH_MAX];
  (void)state;
  file_put(path, "no database, but longer than the header of one, and so on "
                 "and so on until there are more than a hundred bytes of it.");
  assert_refused("not_a_ledger");
  unlink(path);
  run_sql("CREATE TABLE other (x)");
  assert_refused("not_a_ledger");
  run_sql("PRAGMA application_id = 1735420210");
  assert_refused("ledger_damaged");
  unlink(path);
  ledger_close(open_ledger());
  run_sql("PRAGMA user_version = 3");
  assert_refused("ledger_newer");
  run_sql("PRAGMA user_version = 2");
  ledger_close(open_ledger());
  folder_path(&folder, "other", other);
  assert_int_equal(rename(path, other), 0);
  assert_int_equal(symlink(other, path), 0);
  assert_refused("ledger_symlink");
  unlink(path);
  assert_int_equal(mkdir(path, 0700), 0);
  assert_refused("ledger_unopenable");
  rmdir(path);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_refused("ledger_unopenable");
}

static void a_reader_makes_nothing(void **state) {
  Failure failure = {0};
  LedgerFilter all = {0};
  (void)state;
  assert_null(ledger_reader_open(path, &all, &failure));
  assert_string_equal(failure.code, "ledger_unopenable");
  failure_clear(&failure);
  assert_int_equal(folder_count(&folder), 0);
}

static void the_file_is_its_owner_s(void **state) {
  mode_t before = umask(0);
  Ledger *ledger = open_ledger();
  struct stat info;
  (void)state;
  umask(before);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  ledger_close(ledger);
}

static void an_empty_file_becomes_its_owner_s(void **state) {
  int fd = open(path, O_CREAT | O_WRONLY, 0600);
  Ledger *ledger;
  struct stat info;
  (void)state;
  assert_int_equal(fchmod(fd, 0666), 0);
  close(fd);
  ledger = open_ledger();
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  ledger_close(ledger);
  assert_int_equal(chmod(path, 0640), 0); /* from now on it is as one likes */
  ledger_close(open_ledger());
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0640);
}

/* Who made the file was killed before it had its tables. */
static void an_empty_file_has_no_rows(void **state) {
  Failure failure = {0};
  LedgerFilter all = {0};
  LedgerFilter one = {.key = "k"};
  LedgerFinding finding;
  LedgerReader *reader;
  LedgerRow row;
  (void)state;
  close(open(path, O_CREAT | O_WRONLY, 0600));
  assert_string_equal(find(&all), "");
  assert_string_equal(find(&one), "");
  reader = ledger_reader_open(path, &all, &failure);
  assert_non_null(reader);
  assert_false(ledger_reader_find(reader, "k", &row, &failure));
  assert_false(ledger_reader_finding(reader, &finding, &failure));
  assert_null(failure.kind);
  ledger_reader_close(reader);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(only_ledgers_are_opened),   TEST(a_reader_makes_nothing),
      TEST(the_file_is_its_owner_s),   TEST(an_empty_file_becomes_its_owner_s),
      TEST(an_empty_file_has_no_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
