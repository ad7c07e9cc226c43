/* The ledger's file: what is written when, who may, and what is no ledger. */
#include "folder.h"

#include "engine/base/clock.h"
#include "engine/ledger/ledger.h"
#include "engine/ledger/ledger_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static Folder folder;
static char path[PATH_MAX];

static int set_up(void **state) {
  (void)state;
  folder_make(&folder);
  folder_path(&folder, "renders.db", path);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  folder_remove(&folder);
  return 0;
}

static Ledger *open_ledger(void) {
  Failure failure = {0};
  Ledger *ledger = ledger_open(path, &failure);
  check(ledger != NULL, "%s", failure.detail ? failure.detail : "");
  return ledger;
}

static void assert_refused(const char *code) {
  Failure failure = {0};
  assert_null(ledger_open(path, &failure));
  assert_string_equal(failure.kind, "ledger");
  assert_string_equal(failure.code, code);
  failure_clear(&failure);
}

static LedgerEntry entry_for(const char *key) {
  return (LedgerEntry){.key = key,
                       .base_url = "http://localhost:1",
                       .mode = "text-to-image",
                       .prompt = "a cup",
                       .ratio = "1:1",
                       .metadata = "{\"a\":\"b\"}",
                       .count = 2,
                       .cost = 20,
                       .body = "{\0}",
                       .body_length = 3,
                       .attempt_id = key};
}

static void intend(Ledger *ledger, const char *key) {
  LedgerEntry entry = entry_for(key);
  Failure failure = {0};
  check(ledger_intend(ledger, &entry, false, &failure), "%s", key);
}

static void flush(Ledger *ledger) {
  Failure failure = {0};
  assert_true(ledger_flush(ledger, &failure));
}

static void run_sql(const char *sql) {
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
}

/* The keys a filter finds, joined. */
static const char *find(const LedgerFilter *filter) {
  static char keys[256];
  Failure failure = {0};
  LedgerReader *reader = ledger_reader_open(path, filter, &failure);
  LedgerRow row;
  keys[0] = '\0';
  check(reader != NULL, "%s", failure.detail ? failure.detail : "");
  while (ledger_reader_next(reader, &row, &failure))
    strncat(keys, row.key, sizeof keys - strlen(keys) - 1);
  assert_null(failure.kind);
  ledger_reader_close(reader);
  return keys;
}

static LedgerReader *first_row(LedgerRow *row) {
  Failure failure = {0};
  LedgerFilter all = {0};
  LedgerReader *reader = ledger_reader_open(path, &all, &failure);
  assert_non_null(reader);
  assert_true(ledger_reader_next(reader, row, &failure));
  return reader;
}

static void a_job_is_recorded_as_it_will_be_sent(void **state) {
  Ledger *ledger = open_ledger();
  LedgerReader *reader;
  LedgerRow row;
  (void)state;
  intend(ledger, "k");
  assert_string_equal(find(&(LedgerFilter){0}), ""); /* not flushed yet */
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.key, "k");
  assert_string_equal(row.state, "intent");
  assert_string_equal(row.charged, "no");
  assert_string_equal(row.base_url, "http://localhost:1");
  assert_string_equal(row.mode, "text-to-image");
  assert_string_equal(row.prompt, "a cup");
  assert_string_equal(row.ratio, "1:1");
  assert_string_equal(row.metadata, "{\"a\":\"b\"}");
  assert_int_equal(row.count, 2);
  assert_int_equal(row.cost, 20);
  assert_int_equal(row.attempts, 0);
  assert_int_equal(row.body_length, 3);
  assert_memory_equal(row.body, "{\0}", 3);
  assert_null(row.job_id);
  assert_null(row.answer);
  assert_true(row.created_at > 1e9);
  ledger_reader_close(reader);
  ledger_close(ledger);
}

static void news_leave_alone_what_they_do_not_tell(void **state) {
  Ledger *ledger = open_ledger();
  LedgerReader *reader;
  LedgerRow row;
  (void)state;
  intend(ledger, "k");
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "accepted",
                            .charged = "yes",
                            .attempts = 2,
                            .status = 200,
                            .answer = "{1\0}",
                            .answer_length = 4});
  ledger_tell(ledger, "k", &(LedgerNews){.job_id = "id-1", .attempts = 1});
  ledger_tell(ledger, NULL,
              &(LedgerNews){.job_id = "id-1",
                            .base_url = "http://localhost:1",
                            .result = "{2}",
                            .result_length = 3});
  ledger_tell(ledger, NULL, /* another service's job of the same name */
              &(LedgerNews){.job_id = "id-1",
                            .base_url = "http://localhost:2",
                            .state = "failed",
                            .result = "{3}",
                            .result_length = 3});
  ledger_tell(ledger, "other", &(LedgerNews){.state = "failed"});
  ledger_save_file(ledger, "k", 2, "/b.png");
  ledger_save_file(ledger, "k", 1, "/a.png");
  ledger_save_file(ledger, "k", 1, "/a.png");
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.state, "accepted");
  assert_string_equal(row.charged, "yes");
  assert_string_equal(row.job_id, "id-1");
  assert_int_equal(row.attempts, 2);
  assert_int_equal(row.status, 200);
  assert_int_equal(row.answer_length, 4);
  assert_memory_equal(row.answer, "{1\0}", 4);
  assert_memory_equal(row.result, "{2}", 3);
  assert_string_equal(ledger_reader_file(reader, "k", 1), "/a.png");
  assert_string_equal(ledger_reader_file(reader, "k", 2), "/b.png");
  assert_null(ledger_reader_file(reader, "k", 3));
  ledger_reader_close(reader);
  ledger_close(ledger);
}

static void a_key_is_taken_once(void **state) {
  Ledger *ledger = open_ledger();
  LedgerEntry entry = entry_for("k");
  Failure failure = {0};
  (void)state;
  intend(ledger, "k");
  assert_true(ledger_intend(ledger, &entry, false, &failure)); /* its own */
  entry.attempt_id = "other";
  assert_false(ledger_intend(ledger, &entry, false, &failure));
  assert_string_equal(failure.code, "key_in_use");
  failure_clear(&failure);
  intend(ledger, "l"); /* the others go on */
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "kl");
  ledger_close(ledger);
}

static void again_needs_the_very_same_body(void **state) {
  Ledger *ledger = open_ledger();
  LedgerEntry entry = entry_for("k");
  Failure failure = {0};
  (void)state;
  assert_false(ledger_intend(ledger, &entry, true, &failure));
  assert_string_equal(failure.code, "key_in_use");
  failure_clear(&failure);
  intend(ledger, "k");
  assert_true(ledger_intend(ledger, &entry, true, &failure));
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){.state = "intent"}), "k");
  ledger_tell(ledger, "k", &(LedgerNews){.state = "unknown"});
  assert_false(ledger_intend(ledger, &entry, true, &failure));
  assert_string_equal(failure.code, "not_ours_to_send");
  failure_clear(&failure);
  ledger_tell(ledger, "k", &(LedgerNews){.job_id = "id"});
  entry.doubt = true;
  assert_true(ledger_intend(ledger, &entry, true, &failure));
  flush(ledger); /* a crash now: it may have been made, as before */
  assert_string_equal(find(&(LedgerFilter){.state = "sent"}), "k");
  assert_string_equal(find(&(LedgerFilter){.job_id = "id"}), "k");
  entry.body = "{1}";
  assert_false(ledger_intend(ledger, &entry, true, &failure));
  assert_string_equal(failure.code, "not_ours_to_send");
  failure_clear(&failure);
  ledger_close(ledger);
}

static void what_was_not_flushed_is_not_there(void **state) {
  Ledger *ledger = open_ledger();
  (void)state;
  intend(ledger, "k");
  flush(ledger);
  intend(ledger, "l");
  ledger_close(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "k");
  ledger = open_ledger();
  intend(ledger, "l");
  flush(ledger);
  ledger_close(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "kl");
}

static void filters_restrict(void **state) {
  static const char *const states[] = {
      "intent", "sent",    "accepted", "unknown",   "succeeded",
      "failed", "refused", "unsent",   "cancelled", "abandoned"};
  Ledger *ledger = open_ledger();
  (void)state;
  for (size_t i = 0; i < COUNT(states); i++) {
    char key[2] = {(char)('a' + i), '\0'};
    char id[] = {'i', 'd', key[0], '\0'};
    intend(ledger, key);
    ledger_tell(ledger, key, &(LedgerNews){.state = states[i], .job_id = id});
  }
  flush(ledger);
  run_sql("UPDATE jobs SET created_at = unicode(key) - unicode('a') + 100");
  assert_string_equal(find(&(LedgerFilter){0}), "abcdefghij");
  assert_string_equal(find(&(LedgerFilter){.newest_first = true}),
                      "jihgfedcba");
  assert_string_equal(find(&(LedgerFilter){.unfinished = true}), "abcd");
  assert_string_equal(find(&(LedgerFilter){.key = "c"}), "c");
  assert_string_equal(find(&(LedgerFilter){.job_id = "ide"}), "e");
  assert_string_equal(find(&(LedgerFilter){.state = "refused"}), "g");
  assert_string_equal(find(&(LedgerFilter){.since = 107}), "hij");
  assert_string_equal(find(&(LedgerFilter){.until = 101}), "ab");
  assert_string_equal(find(&(LedgerFilter){.limit = 2}), "ab");
  assert_string_equal(
      find(&(LedgerFilter){.since = 101, .until = 103, .limit = 2}), "bc");
  assert_string_equal(find(&(LedgerFilter){.key = "c", .state = "sent"}), "");
  ledger_close(ledger);
}

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

/* A child that lives until `pipe_fds[1]` is closed here, once it has said what
 * `run` gave. */
static pid_t start_child(bool (*run)(void), int pipe_fds[2], bool *result) {
  int said[2];
  char byte;
  pid_t child;
  assert_int_equal(pipe(said), 0);
  assert_int_equal(pipe(pipe_fds), 0);
  child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    close(pipe_fds[1]);
    byte = run() ? 'y' : 'n';
    if (write(said[1], &byte, 1) == 1)
      while (read(pipe_fds[0], &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
  }
  close(said[1]);
  close(pipe_fds[0]);
  assert_int_equal(read(said[0], &byte, 1), 1);
  close(said[0]);
  *result = byte == 'y';
  return child;
}

static void end_child(pid_t child, int pipe_fds[2]) {
  int status;
  close(pipe_fds[1]);
  while (waitpid(child, &status, 0) < 0)
    assert_int_equal(errno, EINTR);
  assert_int_equal(status, 0);
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

/* Who spent dies and gives nothing back. */
static void a_forked_child_locks_nobody_out(void **state) {
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
  ledger_close(open_ledger());
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
  assert_false(ledger_is_down(ledger));
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
  ledger_tell(ledger, "k", &(LedgerNews){.state = "sent"}); /* nothing */
  ledger_save_file(ledger, "k", 1, "/a.png");
  ledger_close(ledger);
}

static bool permit(Ledger *ledger, const char *held, const char *next,
                   bool again, const char *code) {
  LedgerSend send = {
      .attempt_id = held, .next_id = next, .again = again, .attempts = 1};
  Failure failure = {0};
  bool permitted = ledger_permit(ledger, "k", &send, &failure);
  check(permitted == !code, "%s after %s", next, held);
  if (code)
    assert_string_equal(failure.code, code);
  failure_clear(&failure);
  return permitted;
}

/* Whose row it is may send it once, and nobody else. */
static void a_row_is_sent_by_one(void **state) {
  Ledger *ledger = open_ledger();
  LedgerEntry entry = entry_for("k");
  Failure failure = {0};
  (void)state;
  intend(ledger, "k"); /* under the attempt id "k" */
  permit(ledger, "other", "other-1", false, "not_ours_to_send");
  permit(ledger, "k", "k-1", true, "not_ours_to_send");
  permit(ledger, "k", "k-1", false, NULL);
  permit(ledger, "k", "k-1", false, NULL); /* in doubt: it is read back */
  permit(ledger, "k", "k-2", false, "not_ours_to_send");
  permit(ledger, "k-1", "k-2", true, NULL); /* a repeat */
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "intent",
                            .attempt_id = "k-1",
                            .next_id = "k-9"}); /* it was, but is not */
  assert_string_equal((flush(ledger), find(&(LedgerFilter){.state = "sent"})),
                      "k");
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "intent", .attempt_id = "k-2"});
  entry.attempt_id = "b";
  assert_true(ledger_intend(ledger, &entry, true, &failure));
  permit(ledger, "k-2", "k-3", false, "not_ours_to_send");
  permit(ledger, "b", "b-1", false, NULL);
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "cancelled", .attempt_id = "b-1"});
  permit(ledger, "b-1", "b-2", true, "not_ours_to_send");
  permit(ledger, "b-1", "b-2", false, "not_ours_to_send");
  assert_false(ledger_intend(ledger, &entry, true, &failure));
  assert_string_equal(failure.code, "not_ours_to_send");
  failure_clear(&failure);
  ledger_close(ledger);
}

/* What an earlier create came to stays, until a later one names a job. */
static void a_paid_job_that_is_sent_again_is_not_forgotten(void **state) {
  Ledger *ledger = open_ledger();
  LedgerEntry entry = entry_for("k");
  Failure failure = {0};
  LedgerReader *reader;
  LedgerRow row;
  (void)state;
  intend(ledger, "k");
  permit(ledger, "k", "k-1", false, NULL);
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "accepted",
                            .charged = "yes",
                            .job_id = "x",
                            .attempts = 1,
                            .answer = "{x}",
                            .answer_length = 3});
  ledger_tell(ledger, "k", &(LedgerNews){.state = "unknown"});
  entry.attempt_id = "b";
  entry.doubt = true;
  assert_true(ledger_intend(ledger, &entry, true, &failure));
  permit(ledger, "b", "b-1", true, NULL);
  permit(ledger, "b", "b-1", true, NULL); /* in doubt: it is one send */
  ledger_tell(
      ledger, "k",
      &(LedgerNews){.attempts = 1, .answer = "{no}", .answer_length = 4});
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "unknown", .charged = "unknown"});
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.state, "unknown");
  assert_string_equal(row.charged, "yes");
  assert_string_equal(row.job_id, "x");
  assert_int_equal(row.attempts, 2);
  assert_int_equal(row.answer_length, 3);
  ledger_reader_close(reader);
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "accepted",
                            .charged = "yes",
                            .job_id = "y",
                            .answer = "{yy}",
                            .answer_length = 4});
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.job_id, "y");
  assert_int_equal(row.answer_length, 4);
  ledger_reader_close(reader);
  ledger_tell(
      ledger, "k", /* somebody's word */
      &(LedgerNews){.state = "accepted", .charged = "unknown", .job_id = "z"});
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.charged, "unknown");
  ledger_reader_close(reader);
  ledger_close(ledger);
}

/* The commit that had both was said to have failed, and had not. */
static void a_permission_of_which_nobody_was_told_is_none(void **state) {
  Ledger *ledger = open_ledger();
  LedgerEntry entry = entry_for("k");
  Failure failure = {0};
  (void)state;
  entry.next_id = "k-1";
  for (int again = 0; again < 2; again++) {
    assert_true(ledger_intend(ledger, &entry, again, &failure));
    permit(ledger, "k", "k-1", false, NULL);
    flush(ledger);
    assert_string_equal(find(&(LedgerFilter){.state = "sent"}), "k");
    assert_true(ledger_intend(ledger, &entry, again, &failure));
    flush(ledger);
    assert_string_equal(find(&(LedgerFilter){.state = "intent"}), "k");
    permit(ledger, "k", "k-1", false, NULL);
    permit(ledger, "k", "k-2", false, "not_ours_to_send");
    entry.next_id = "other-1"; /* of somebody else it is not */
    assert_false(ledger_intend(ledger, &entry, true, &failure));
    assert_string_equal(failure.code, "not_ours_to_send");
    failure_clear(&failure);
    entry.next_id = "k-1";
    ledger_tell(ledger, "k", &(LedgerNews){.state = "intent"});
  }
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

static void a_service_is_known_however_it_is_spelled(void **state) {
  Ledger *ledger = open_ledger();
  (void)state;
  intend(ledger, "k");
  ledger_tell(ledger, "k", &(LedgerNews){.state = "accepted", .job_id = "j"});
  flush(ledger);
  assert_true(ledger_has_other(ledger, "HTTP://LocalHost:1/", "j", "l"));
  assert_false(ledger_has_other(ledger, "http://localhost:2", "j", "l"));
  ledger_tell(ledger, NULL,
              &(LedgerNews){.state = "failed",
                            .job_id = "j",
                            .base_url = "http://localhost:2"});
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){.state = "accepted"}), "k");
  ledger_tell(ledger, NULL,
              &(LedgerNews){.state = "succeeded",
                            .job_id = "j",
                            .result = "{}",
                            .result_length = 2,
                            .base_url = "HTTP://LocalHost:1/"});
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){.state = "succeeded"}), "k");
  ledger_close(ledger);
}

/* ---- every state, and every news ---- */

#define UNFINISHED "intent sent accepted unknown"

/* Which states the news may replace; by the word of the one who sends it, or of
 * somebody else. */
typedef struct Transition {
  const char *news;
  const char *by_sender;
  const char *by_others;
} Transition;

static const Transition transitions[] = {
    {"intent", "intent sent refused unsent", "intent refused unsent"},
    {"unsent", "intent sent refused unsent", "intent refused unsent"},
    {"refused", "intent sent refused unsent", "intent refused unsent"},
    {"unknown", UNFINISHED " refused unsent", UNFINISHED " refused unsent"},
    {"accepted", UNFINISHED " refused unsent cancelled abandoned",
     UNFINISHED " refused unsent cancelled abandoned"},
    {"cancelled", UNFINISHED " refused unsent abandoned",
     UNFINISHED " refused unsent abandoned"},
    {"succeeded", UNFINISHED " refused unsent cancelled abandoned failed",
     UNFINISHED " refused unsent cancelled abandoned failed"},
    {"failed", UNFINISHED " refused unsent cancelled abandoned",
     UNFINISHED " refused unsent cancelled abandoned"},
};

static bool is_listed(const char *list, const char *word) {
  size_t length = strlen(word);
  for (const char *at = list; (at = strstr(at, word)); at += length)
    if ((at == list || at[-1] == ' ') && (!at[length] || at[length] == ' '))
      return true;
  return false;
}

/* A job that may have been paid is never said to be unsent again, whoever looks
 * at it, nor one that was given up opened again. */
static void a_row_goes_where_it_may(void **state) {
  static const char *const states[] = {
      "intent", "sent",    "accepted", "unknown",   "succeeded",
      "failed", "refused", "unsent",   "cancelled", "abandoned"};
  Ledger *ledger = open_ledger();
  char sql[128];
  (void)state;
  intend(ledger, "k");
  flush(ledger);
  for (size_t i = 0; i < COUNT(transitions); i++)
    for (size_t j = 0; j < COUNT(states); j++)
      for (int senders = 0; senders < 2; senders++) {
        const Transition *to = &transitions[i];
        bool moves =
            is_listed(senders ? to->by_sender : to->by_others, states[j]);
        LedgerNews news = {.state = to->news,
                           .attempt_id = senders ? "k" : NULL};
        const char *after = moves ? to->news : states[j];
        snprintf(sql, sizeof sql, "UPDATE jobs SET state = '%s'", states[j]);
        run_sql(sql);
        ledger_tell(ledger, "k", &news);
        flush(ledger);
        check(*find(&(LedgerFilter){.state = after}), "%s to %s by %d: not %s",
              states[j], to->news, senders, after);
      }
  ledger_close(ledger);
}

/* What is known of a job's money is not taken back with it. */
static void what_was_charged_stays_so(void **state) {
  Ledger *ledger = open_ledger();
  LedgerReader *reader;
  LedgerRow row;
  (void)state;
  intend(ledger, "k");
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "accepted", .charged = "yes"});
  ledger_tell(
      ledger, "k",
      &(LedgerNews){.state = "unsent", .charged = "no", .attempt_id = "k"});
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.state, "accepted");
  assert_string_equal(row.charged, "yes");
  ledger_reader_close(reader);
  ledger_close(ledger);
}

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

static void an_entry_is_copied_without_what_the_job_has(void **state) {
  LedgerEntry entry = entry_for("k");
  LedgerEntry *copy;
  char prompt[] = "a pot";
  (void)state;
  entry.prompt = prompt;
  entry.ratio = NULL;
  copy = ledger_entry_copy(&entry);
  prompt[0] = '?';
  assert_string_equal(copy->prompt, "a pot");
  assert_null(copy->ratio);
  assert_null(copy->key);
  assert_null(copy->body);
  assert_int_equal(copy->count, 2);
  assert_int_equal(copy->cost, 20);
  ledger_entry_free(copy);
  ledger_entry_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_job_is_recorded_as_it_will_be_sent),
      TEST(news_leave_alone_what_they_do_not_tell),
      TEST(a_key_is_taken_once),
      TEST(again_needs_the_very_same_body),
      TEST(what_was_not_flushed_is_not_there),
      TEST(filters_restrict),
      TEST(one_spends_at_a_time),
      TEST(a_version_0_1_that_runs_keeps_us_out),
      TEST(a_version_0_1_is_kept_out),
      TEST(a_forked_child_holds_nothing_and_closes_nothing),
      TEST(a_forked_child_stays_out_of_sqlite),
      TEST(a_forked_child_locks_nobody_out),
      TEST(readers_take_nothing_from_the_writer),
      TEST(a_ledger_that_is_down_keeps_what_it_is_told),
      TEST(a_broken_ledger_stays_broken_and_says_why),
      TEST(a_row_is_sent_by_one),
      TEST(a_paid_job_that_is_sent_again_is_not_forgotten),
      TEST(a_permission_of_which_nobody_was_told_is_none),
      TEST(a_lock_that_is_held_for_long_is_waited_for),
      TEST(a_service_is_known_however_it_is_spelled),
      TEST(a_row_goes_where_it_may),
      TEST(what_was_charged_stays_so),
      TEST(only_ledgers_are_opened),
      TEST(a_reader_makes_nothing),
      TEST(the_file_is_its_owner_s),
      TEST(an_empty_file_becomes_its_owner_s),
      cmocka_unit_test(an_entry_is_copied_without_what_the_job_has),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
