/* The descriptors that are waited for. */
#include "check.h"

#include "engine/base/clock.h"
#include "engine/base/platform.h"
#include "engine/loop/watches.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#define PIPES 40

static Watches watches;
static int pipes[PIPES][2];

static int enter(void **state) {
  (void)state;
  watches = (Watches){0};
  for (size_t i = 0; i < PIPES; i++)
    if (!platform_pipe(pipes[i]))
      return -1;
  return 0;
}

static int leave(void **state) {
  (void)state;
  watches_free(&watches);
  for (size_t i = 0; i < PIPES; i++) {
    close(pipes[i][0]);
    close(pipes[i][1]);
  }
  return 0;
}

static void watch(size_t which) {
  assert_true(watches_set(&watches, pipes[which][0], POLLIN));
}

static void ring(size_t which) {
  assert_int_equal(write(pipes[which][1], "", 1), 1);
}

/* The next one that is told of, by its place in `pipes`; -1 = none. */
static int take(size_t *at) {
  short events = 0;
  int fd = watches_take(&watches, at, &events);
  for (int i = 0; i < PIPES; i++)
    if (pipes[i][0] == fd) {
      assert_int_equal(events, POLLIN);
      return i;
    }
  assert_int_equal(fd, -1);
  return -1;
}

static void all_that_happened_is_told_once(void **state) {
  size_t at = 0;
  (void)state;
  for (size_t i = 0; i < PIPES; i++)
    watch(i);
  for (size_t i = 0; i < PIPES; i += 3)
    ring(i);
  assert_true(watches_wait(&watches, -1));
  for (int i = 0; i < PIPES; i += 3)
    assert_int_equal(take(&at), i);
  assert_int_equal(take(&at), -1);
  at = 0;
  assert_int_equal(take(&at), -1);
}

static void what_is_let_go_is_not_told_of(void **state) {
  size_t at = 0;
  (void)state;
  for (size_t i = 0; i < 4; i++) {
    watch(i);
    ring(i);
  }
  assert_true(watches_wait(&watches, -1));
  assert_int_equal(take(&at), 0);
  assert_true(watches_set(&watches, pipes[1][0], 0));
  assert_true(watches_set(&watches, pipes[3][0], 0));
  watch(4); /* in the place of one of those: what happened was not to it */
  assert_int_equal(take(&at), 2);
  assert_int_equal(take(&at), -1);
  assert_true(watches_set(&watches, pipes[9][0], 0)); /* was never there */
}

static void places_are_used_again(void **state) {
  (void)state;
  watch(0);
  for (size_t round = 0; round < 100; round++) {
    watch(1 + round % (PIPES - 1));
    assert_true(watches_set(&watches, pipes[1 + round % (PIPES - 1)][0], 0));
  }
  assert_true(watches.room < PIPES);
  assert_true(watches_wait(&watches, 0));
  assert_int_equal(watches.count, 1);
}

static void with_room_nothing_is_asked_for(void **state) {
  struct pollfd *list;
  (void)state;
  assert_true(watches_reserve(&watches, PIPES));
  list = watches.list;
  for (size_t i = 0; i < PIPES; i++)
    watch(i);
  assert_ptr_equal(watches.list, list);
}

static void on_alarm(int number) {
  (void)number;
}

/* What poll() leaves in the list then means nothing. */
static void a_signal_is_no_look(void **state) {
  struct sigaction action = {.sa_handler = on_alarm};
  struct itimerval soon = {.it_value.tv_usec = 20000};
  size_t at = 0;
  (void)state;
  watch(0);
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &soon, NULL);
  assert_false(watches_wait(&watches, 10000));
  assert_int_equal(take(&at), -1);
}

static void a_wait_ends_in_time(void **state) {
  double began = clock_monotonic();
  (void)state;
  watch(0);
  assert_true(watches_wait(&watches, 30));
  assert_true(clock_monotonic() - began > 0.029);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(all_that_happened_is_told_once),
      TEST(what_is_let_go_is_not_told_of),
      TEST(places_are_used_again),
      TEST(with_room_nothing_is_asked_for),
      TEST(a_signal_is_no_look),
      TEST(a_wait_ends_in_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
