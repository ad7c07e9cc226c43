/* The engine from the host's side: its thread, small work, ends and forks. */
#include "folder.h"

#include "engine/engine.h"

#include "engine/base/clock.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define TASKS "/proc/self/task"

static atomic_uint waits;

/* Stands in front of the C library's, to count how often the engine waits. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int poll(struct pollfd *list, nfds_t count, int timeout) {
  struct timespec time = {.tv_sec = timeout / 1000,
                          .tv_nsec = timeout % 1000 * 1000000L};
  atomic_fetch_add(&waits, 1);
  return ppoll(list, count, timeout < 0 ? NULL : &time, NULL);
}

/* The sanitizers start a thread of their own along with the first one. */
static void *do_nothing(void *user) {
  return user;
}

static int warm_up(void **state) {
  pthread_t thread;
  (void)state;
  return pthread_create(&thread, NULL, do_nothing, NULL) ||
         pthread_join(thread, NULL);
}

static unsigned count_threads(void) {
  DIR *tasks = opendir(TASKS);
  unsigned count = 0;
  assert_non_null(tasks);
  while (readdir(tasks))
    count++;
  closedir(tasks);
  return count - 2;
}

/* A joined thread may be listed for a moment longer. */
static void assert_threads(unsigned expected) {
  for (unsigned tries = 0; tries < 5000 && count_threads() != expected; tries++)
    poll(NULL, 0, 1);
  assert_int_equal(count_threads(), expected);
}

static bool is_readable(const Engine *engine) {
  struct pollfd fd = {.fd = engine_fd(engine), .events = POLLIN};
  return poll(&fd, 1, 0) == 1;
}

/* Waits as long as it takes: ctest ends a test that hangs. */
static Event *next_event(Engine *engine) {
  Event *event;
  while (!(event = engine_next_event(engine)))
    engine_wait(engine, 1);
  return event;
}

static Event *next_end(Engine *engine, const Op *op) {
  Event *event = next_event(engine);
  assert_int_equal(event->kind, EVENT_ENDED);
  assert_ptr_equal(event->op, op);
  return event;
}

static Account *new_account(void) {
  AccountSettings settings = {
      .service.base_url = "http://127.0.0.1:1",
      .service.api_key = "key",
      .service.user_agent = "test",
      .service.connect_timeout = 10,
      .request_timeout = 10,
      .state = {.max_attempts = 1, .poll = {2, 2.5, 5, 1, NULL}},
      .max_active = 1};
  return account_new(&settings, NULL);
}

static void an_engine_without_work_has_no_thread(void **state) {
  unsigned before = count_threads();
  Engine *engine = engine_open();
  (void)state;
  assert_non_null(engine);
  assert_null(engine_next_event(engine));
  assert_false(is_readable(engine));
  assert_threads(before);
  engine_close(engine);
  assert_threads(before);
}

static void the_thread_comes_with_work_and_goes_with_the_end(void **state) {
  unsigned before = count_threads();
  Engine *engine = engine_open();
  Op *op = engine_sleep(engine, 0, 0);
  (void)state;
  next_end(engine, op);
  engine_release(engine, op);
  assert_threads(before + 1);
  engine_sleep(engine, 1000, 0);
  assert_threads(before + 1);
  engine_close(engine);
  assert_threads(before);
}

/* Bits of SigBlk for all signals that can be blocked, the C library's own two
 * aside. */
static uint64_t blocked_signals(const char *task) {
  char path[PATH_MAX], line[256];
  uint64_t blocked = 0;
  FILE *status;
  snprintf(path, sizeof path, TASKS "/%.32s/status", task);
  status = fopen(path, "r");
  assert_non_null(status);
  while (fgets(line, sizeof line, status))
    if (strncmp(line, "SigBlk:", 7) == 0)
      blocked = strtoull(line + 7, NULL, 16);
  fclose(status);
  return blocked;
}

static bool is_listed(char names[][32], unsigned count, const char *name) {
  for (unsigned i = 0; i < count; i++)
    if (strcmp(names[i], name) == 0)
      return true;
  return false;
}

static unsigned list_threads(char names[][32], unsigned limit) {
  DIR *tasks = opendir(TASKS);
  struct dirent *entry;
  unsigned count = 0;
  assert_non_null(tasks);
  while (count < limit && (entry = readdir(tasks)))
    if (entry->d_name[0] != '.')
      snprintf(names[count++], 32, "%.31s", entry->d_name);
  closedir(tasks);
  return count;
}

static void signals_stay_with_the_host(void **state) {
  static const int signals[] = {SIGINT,  SIGTERM, SIGALRM, SIGCHLD,
                                SIGPIPE, SIGUSR1, SIGWINCH};
  char before[16][32], after[16][32];
  unsigned count = list_threads(before, 16);
  Engine *engine = engine_open();
  Op *op = engine_sleep(engine, 0, 0);
  sigset_t own;
  (void)state;
  next_end(engine, op);
  for (unsigned i = 0, all = list_threads(after, 16); i < all; i++) {
    uint64_t blocked = blocked_signals(after[i]);
    for (size_t k = 0; k < COUNT(signals); k++)
      if (!is_listed(before, count, after[i]))
        check(blocked >> (signals[k] - 1) & 1, "signal %d", signals[k]);
  }
  pthread_sigmask(SIG_SETMASK, NULL, &own);
  assert_false(sigismember(&own, SIGINT));
  engine_close(engine);
}

static void a_sleep_ends_when_its_time_is_over(void **state) {
  Engine *engine = engine_open();
  double before = clock_monotonic();
  Op *op = engine_sleep(engine, 0.05, 42);
  Event *event = next_end(engine, op);
  (void)state;
  assert_true(clock_monotonic() - before >= 0.05);
  assert_int_equal(event->owner, 42);
  assert_null(event->failure.kind);
  assert_true(event->time > 1e9);
  engine_free_event(engine, event);
  engine_release(engine, op);
  engine_close(engine);
}

static void a_thousand_sleeps_end_and_none_early(void **state) {
  static double until[1000];
  Engine *engine = engine_open();
  uint64_t seed = 3;
  (void)state;
  for (unsigned i = 0; i < COUNT(until); i++) {
    double seconds = random_unit(&seed) * 0.05;
    until[i] = clock_monotonic() + seconds;
    assert_non_null(engine_sleep(engine, seconds, i));
  }
  for (unsigned i = 0; i < COUNT(until); i++) {
    Event *event = next_event(engine);
    double *time = &until[event->owner];
    assert_int_equal(event->kind, EVENT_ENDED);
    assert_true(*time > 0 && clock_monotonic() >= *time);
    *time = 0; /* never twice */
    engine_release(engine, event->op);
  }
  assert_null(engine_next_event(engine));
  assert_false(is_readable(engine));
  engine_close(engine);
}

static void a_sleep_can_be_cancelled(void **state) {
  static const double times[] = {1000, (double)INFINITY};
  Engine *engine = engine_open();
  (void)state;
  for (size_t i = 0; i < COUNT(times); i++) {
    Op *op = engine_sleep(engine, times[i], 0);
    Event *event;
    engine_cancel(engine, op);
    engine_cancel(engine, op); /* twice is once */
    event = next_end(engine, op);
    assert_string_equal(event->failure.kind, "cancelled");
    engine_release(engine, op);
  }
  engine_close(engine);
}

static void cancelling_what_has_ended_changes_nothing(void **state) {
  Engine *engine = engine_open();
  Op *op = engine_sleep(engine, 0, 0);
  Op *other;
  (void)state;
  assert_null(next_end(engine, op)->failure.kind);
  engine_cancel(engine, op);
  engine_release(engine, op);
  other = engine_sleep(engine, 0, 0); /* no second end in between */
  next_end(engine, other);
  engine_close(engine);
}

static Chunks *chunks_of(const char *content) {
  static Chunks text;
  text = (Chunks){0};
  assert_true(chunks_append(&text, content, strlen(content)));
  return &text;
}

static void a_file_is_written_whole(void **state) {
  Engine *engine = engine_open();
  char large[3 * TEXT_BLOCK] = "";
  char path[PATH_MAX];
  Folder folder;
  Op *op;
  Event *event;
  (void)state;
  folder_make(&folder);
  folder_path(&folder, "new/a.json", path);
  op = engine_write(engine, path, chunks_of("{\"a\":1}"), false, 0);
  event = next_end(engine, op);
  assert_null(event->failure.kind);
  assert_string_equal(event->path, path);
  assert_true(file_holds(path, "{\"a\":1}"));
  engine_release(engine, op);
  op = engine_write(engine, path, chunks_of("other"), false, 0);
  event = next_end(engine, op);
  assert_string_equal(event->failure.kind, "io");
  assert_string_equal(event->failure.code, "file_exists");
  assert_null(event->path);
  assert_true(file_holds(path, "{\"a\":1}"));
  engine_release(engine, op);
  op = engine_write(engine, path, chunks_of("other"), true, 0);
  next_end(engine, op);
  assert_true(file_holds(path, "other"));
  engine_release(engine, op);
  memset(large, 'x', sizeof large - 1); /* of several blocks */
  op = engine_write(engine, path, chunks_of(large), true, 0);
  next_end(engine, op);
  assert_true(file_holds(path, large));
  engine_close(engine); /* frees what was not released */
  folder_remove(&folder);
}

static void the_descriptor_tells_of_events(void **state) {
  Engine *engine = engine_open();
  Op *op = engine_sleep(engine, 0, 0);
  struct pollfd fd = {.fd = engine_fd(engine), .events = POLLIN};
  (void)state;
  assert_int_equal(poll(&fd, 1, -1), 1);
  next_end(engine, op);
  engine_release(engine, op);
  assert_false(is_readable(engine));
  engine_stay_readable(engine);
  assert_true(is_readable(engine));
  assert_null(engine_next_event(engine));
  assert_false(is_readable(engine));
  engine_close(engine);
}

/* Leftovers in the inbox: engine_wait must not wait for news. */
static void waiting_returns_while_events_are_left(void **state) {
  Engine *engine = engine_open();
  unsigned seen = 0;
  (void)state;
  for (unsigned i = 0; i < 10; i++)
    engine_sleep(engine, 0, 0);
  while (seen < 10) {
    Event *event;
    engine_wait(engine, (double)INFINITY);
    event = engine_next_event(engine);
    assert_non_null(event);
    engine_release(engine, event->op);
    seen++;
  }
  engine_close(engine);
}

/* Leaks and hangs of these ends show under the sanitizers and valgrind. */
static void an_engine_may_be_closed_at_any_moment(void **state) {
  char path[PATH_MAX];
  Folder folder;
  (void)state;
  folder_make(&folder);
  folder_path(&folder, "a", path);
  for (unsigned round = 0; round < 30; round++) {
    Engine *engine = engine_open();
    Account *account = new_account();
    JobSpec job = {.mode = JOB_MODE_GENERATE,
                   .body = "{}",
                   .body_length = 2,
                   .idempotency_key = "k",
                   .timeout = 600,
                   .has_listener = true};
    DownloadSpec download = {
        .url = "http://127.0.0.1:1/a", .path = path, .timeout = 600};
    for (unsigned i = 0; i < 10; i++) {
      engine_sleep(engine, i % 2 ? 0 : 1000, 0);
      engine_write(engine, path, chunks_of("x"), i % 2, 0);
      assert_non_null(engine_job(engine, account, &job, 0));
      assert_non_null(engine_download(engine, account, &download, 0));
    }
    for (unsigned i = 0; i < round % 7; i++)
      engine_free_event(engine, next_event(engine));
    engine_drop_account(engine, account);
    if (round % 3 == 0)
      engine_cancel(engine, engine_sleep(engine, 1000, 0));
    engine_close(engine);
  }
  folder_remove(&folder);
}

/* Commands that nobody obeys any more, about work that never started. */
static void work_may_be_cancelled_and_closed_at_once(void **state) {
  (void)state;
  for (unsigned round = 0; round < 50; round++) {
    Engine *engine = engine_open();
    Op *ops[5];
    for (unsigned i = 0; i < COUNT(ops); i++)
      ops[i] = engine_sleep(engine, 1000, 0);
    for (unsigned i = 0; i < COUNT(ops); i++)
      engine_cancel(engine, ops[i]);
    engine_close(engine);
  }
}

static void waiting_is_not_looking_again_and_again(void **state) {
  Engine *engine = engine_open();
  Op *op;
  (void)state;
  engine_sleep(engine, 1000, 0);
  atomic_store(&waits, 0);
  op = engine_sleep(engine, 0.1, 0);
  next_end(engine, op);
  check(atomic_load(&waits) < 10, "it looked %u times", atomic_load(&waits));
  engine_close(engine);
}

static void an_account_can_be_dropped_without_a_thread(void **state) {
  Engine *engine = engine_open();
  (void)state;
  engine_drop_account(engine, new_account());
  engine_close(engine);
}

/* What the child finds out, as its exit status. */
static int look_from_the_child(Engine *engine) {
  Engine *own;
  if (!engine_is_forked(engine))
    return 1;
  engine_close(engine); /* returns although the thread is not there */
  own = engine_open();
  if (!own || engine_is_forked(own))
    return 2;
  engine_close(own);
  return 0;
}

static void a_forked_child_knows_that_it_is_one(void **state) {
  static Engine *engine; /* what the child cannot free stays reachable */
  Op *op;
  int status = 0;
  pid_t child;
  (void)state;
  engine = engine_open();
  op = engine_sleep(engine, 0, 0);
  next_end(engine, op);
  engine_release(engine, op);
  child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(look_from_the_child(engine));
  while (waitpid(child, &status, 0) < 0)
    assert_int_equal(errno, EINTR);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  assert_false(engine_is_forked(engine));
  op = engine_sleep(engine, 0, 0); /* the parent goes on */
  next_end(engine, op);
  engine_close(engine);
}

/* The parent's descriptors are not the child's: a byte of one must not wake the
 * other.  Exit status of the child. */
static int work_in_the_child(Engine *engine, int parents_fd) {
  struct pollfd readable = {.fd = -1, .events = POLLIN};
  Op *op;
  if (engine_is_forked(engine))
    return 1;
  readable.fd = engine_fd(engine);
  if (poll(&readable, 1, 0) != 0) /* the parent's was */
    return 2;
  op = engine_sleep(engine, 0, 0);
  if (!op)
    return 3;
  next_end(engine, op);
  engine_close(engine);
  return parents_fd < 0;
}

static void
an_engine_that_was_never_at_work_begins_anew_in_a_child(void **state) {
  Engine *engine = engine_open();
  struct pollfd readable = {.fd = engine_fd(engine), .events = POLLIN};
  Op *op;
  (void)state;
  engine_stay_readable(engine);
  for (int i = 0; i < 2; i++) {
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
      _exit(work_in_the_child(engine, readable.fd));
    while (waitpid(child, &status, 0) < 0)
      assert_int_equal(errno, EINTR);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
  }
  assert_int_equal(poll(&readable, 1, 0), 1); /* still */
  op = engine_sleep(engine, 0, 0);
  next_end(engine, op);
  engine_close(engine);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_engine_that_was_never_at_work_begins_anew_in_a_child),
      cmocka_unit_test(an_engine_without_work_has_no_thread),
      cmocka_unit_test(the_thread_comes_with_work_and_goes_with_the_end),
      cmocka_unit_test(signals_stay_with_the_host),
      cmocka_unit_test(a_sleep_ends_when_its_time_is_over),
      cmocka_unit_test(a_thousand_sleeps_end_and_none_early),
      cmocka_unit_test(a_sleep_can_be_cancelled),
      cmocka_unit_test(cancelling_what_has_ended_changes_nothing),
      cmocka_unit_test(a_file_is_written_whole),
      cmocka_unit_test(the_descriptor_tells_of_events),
      cmocka_unit_test(waiting_returns_while_events_are_left),
      cmocka_unit_test(an_engine_may_be_closed_at_any_moment),
      cmocka_unit_test(work_may_be_cancelled_and_closed_at_once),
      cmocka_unit_test(waiting_is_not_looking_again_and_again),
      cmocka_unit_test(an_account_can_be_dropped_without_a_thread),
      cmocka_unit_test(a_forked_child_knows_that_it_is_one),
  };
  return cmocka_run_group_tests(tests, warm_up, NULL);
}
