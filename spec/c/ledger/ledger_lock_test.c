/* One process spends from a ledger: its lock, and what forks, other versions
 * and readers do to it. */
#include "child.h"
#include "one_ledger.h"

#include <fcntl.h>

static void one_spends_at_a_time(void **state) {
  static Ledger *ledger; /* who looks for leaks finds it in the child, too */
  int status;
  pid_t child;
  (void)state;
  ledger = open_ledger();
  assert_refused("ledger_locked");
  assert_refused("ledger_locked"); /* being refused frees nothing */
  child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    Failure failure = {0};
    Ledger *stolen = ledger_open(path, &failure);
    _exit(stolen || strcmp(failure.code, "ledger_locked") != 0);
  }
  while (waitpid(child, &status, 0) < 0)
    assert_int_equal(errno, EINTR);
  assert_int_equal(status, 0);
  ledger_close(ledger);
  ledger_close(open_ledger());
}

/* The lock of version 0.1: a POSIX lock on a file beside the ledger. */
static bool lock_as_0_1(void) {
  char name[PATH_MAX];
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int fd = open(folder_path(&folder, "renders.db.lock", name), O_RDWR | O_CREAT,
                0600);
  return fd >= 0 && fcntl(fd, F_SETLK, &whole) == 0;
}

static void a_version_0_1_that_runs_keeps_us_out(void **state) {
  int fds[2];
  bool locked;
  pid_t child = start_child(lock_as_0_1, fds, &locked);
  (void)state;
  assert_true(locked);
  assert_refused("ledger_locked");
  assert_int_equal(folder_count(&folder), 1); /* its lock */
  end_child(child, fds);
  ledger_close(open_ledger());
}

static void a_version_0_1_is_kept_out(void **state) {
  Ledger *ledger = open_ledger();
  int fds[2];
  bool locked;
  pid_t child = start_child(lock_as_0_1, fds, &locked);
  (void)state;
  end_child(child, fds);
  assert_false(locked);
  ledger_close(ledger);
}

static Ledger *of_the_parent;

static bool close_the_parent_s(void) {
  ledger_close(of_the_parent);
  return true;
}

/* It has no part of the lock, and what it closes is not closed. */
static void a_forked_child_holds_nothing_and_closes_nothing(void **state) {
  int fds[2];
  bool closed;
  pid_t child;
  (void)state;
  of_the_parent = open_ledger();
  intend(of_the_parent, "k");
  flush(of_the_parent);
  child = start_child(close_the_parent_s, fds, &closed);
  assert_refused("ledger_locked");
  intend(of_the_parent, "l");
  flush(of_the_parent);
  assert_string_equal(find(&(LedgerFilter){0}), "kl");
  ledger_close(of_the_parent);
  ledger_close(open_ledger()); /* although the child lives */
  end_child(child, fds);
}

/* The engine's thread may be inside of SQLite when the host forks: whoever goes
 * there in the child waits for ever.  False does not come: the alarm ends it.
 */
static bool close_in_time(void) {
  alarm(20);
  ledger_close(of_the_parent);
  return alarm(0) > 0;
}

static void a_forked_child_stays_out_of_sqlite(void **state) {
  sqlite3_mutex *inside = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_VFS1);
  int fds[2];
  bool closed;
  pid_t child;
  (void)state;
  of_the_parent = open_ledger();
  sqlite3_mutex_enter(inside);
  child = start_child(close_in_time, fds, &closed);
  sqlite3_mutex_leave(inside);
  assert_true(closed);
  end_child(child, fds);
  ledger_close(of_the_parent);
}

/* Spends, and has a child that lives until `lives` is closed elsewhere. */
static void spend_and_fork(int lives) {
  int begun[2];
  char byte = 'y';
  if (pipe(begun) != 0)
    _exit(1);
  of_the_parent = open_ledger();
  if (fork() == 0 && write(begun[1], &byte, 1) == 1)
    while (read(lives, &byte, 1) < 0 && errno == EINTR)
      ;
  else if (read(begun[0], &byte, 1) != 1)
    _exit(1);
}

/* Who spent dies and gives nothing back: nobody is there any more. */
static void a_forked_child_locks_nobody_out(void **state) {
  Failure failure = {0};
  Ledger *ledger;
  int fds[2], status;
  pid_t child;
  (void)state;
  assert_int_equal(pipe(fds), 0);
  child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    close(fds[1]);
    spend_and_fork(fds[0]);
    _exit(0);
  }
  close(fds[0]);
  while (waitpid(child, &status, 0) < 0)
    assert_int_equal(errno, EINTR);
  assert_int_equal(status, 0);
  ledger = ledger_open_as(path, &(LedgerOptions){.alone = true}, &failure);
  assert_non_null(ledger);
  ledger_close(ledger);
  close(fds[1]); /* its child lives until now */
}

/* A reader must not end the locks by which SQLite protects the writer's log. */
static void readers_take_nothing_from_the_writer(void **state) {
  Ledger *ledger = open_ledger();
  int status;
  pid_t child;
  (void)state;
  intend(ledger, "k");
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "k");
  child = fork();
  assert_true(child >= 0);
  if (child == 0) /* a stranger that looks, and cleans up after itself */
    _exit(execlp("sqlite3", "sqlite3", path, "SELECT count(*) FROM jobs",
                 (char *)NULL) != 0);
  while (waitpid(child, &status, 0) < 0)
    assert_int_equal(errno, EINTR);
  if (status != 0)
    skip(); /* the program is not here */
  intend(ledger, "l");
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "kl");
  ledger_close(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "kl");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(one_spends_at_a_time),
      TEST(a_version_0_1_that_runs_keeps_us_out),
      TEST(a_version_0_1_is_kept_out),
      TEST(a_forked_child_holds_nothing_and_closes_nothing),
      TEST(a_forked_child_stays_out_of_sqlite),
      TEST(a_forked_child_locks_nobody_out),
      TEST(readers_take_nothing_from_the_writer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
