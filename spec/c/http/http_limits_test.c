/* When an exchange has had its time: only once what had arrived by then was
 * read, and not for what passed while nothing could be. */
#include "check.h"

#include "engine/base/clock.h"
#include "engine/http/http_limits.h"

#include <math.h>

static Loop loop;
static Exchange exchange;

static int enter(void **state) {
  (void)state;
  loop = (Loop){0};
  exchange = (Exchange){.loop = &loop, .sent_once = true};
  return heap_reserve(&loop.limits, 1) ? 0 : -1;
}

static int leave(void **state) {
  (void)state;
  heap_clear(&loop.limits, &exchange.limit);
  queue_remove(&exchange.link);
  heap_free(&loop.limits);
  return 0;
}

/* It runs, and must be over at `until`. */
static void begin(double until) {
  exchange.until = until;
  queue_append(&loop.running, &exchange.link);
  http_limits_start(&loop, &exchange);
}

/* The clock is long past the limit; what had arrived by then was not read. */
static void what_was_not_read_yet_is_waited_for(void **state) {
  double now = clock_monotonic();
  (void)state;
  begin(now - 100);
  loop.read_at = now - 101;
  assert_null(http_limits_overdue(&loop));
  loop.read_at = now - 99;
  assert_ptr_equal(http_limits_overdue(&loop), &exchange);
}

static void a_byte_that_came_moves_the_limit_of_silence(void **state) {
  (void)state;
  exchange.stall = 10;
  exchange.heard_at = 100;
  begin((double)INFINITY);
  exchange.heard_at = 105; /* since: the timer is early */
  loop.read_at = 111;
  assert_null(http_limits_overdue(&loop));
  loop.read_at = 115;
  assert_ptr_equal(http_limits_overdue(&loop), &exchange);
}

/* The thread was held up: the loop says so. */
static void time_in_which_nothing_could_be_read_is_given_back(void **state) {
  (void)state;
  begin(100);
  assert_non_null(loop.on_delay);
  loop.on_delay(&loop, 160, 60);
  loop.read_at = 164; /* at most five seconds: for what is on its way */
  assert_null(http_limits_overdue(&loop));
  loop.read_at = 165;
  assert_ptr_equal(http_limits_overdue(&loop), &exchange);
}

static void a_short_delay_gives_back_as_much(void **state) {
  (void)state;
  begin(100);
  loop.on_delay(&loop, 100, 2);
  loop.read_at = 101.5;
  assert_null(http_limits_overdue(&loop));
  loop.read_at = 102;
  assert_ptr_equal(http_limits_overdue(&loop), &exchange);
}

#define ON_LOOP(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void) {
  const struct CMUnitTest tests[] = {
      ON_LOOP(what_was_not_read_yet_is_waited_for),
      ON_LOOP(a_byte_that_came_moves_the_limit_of_silence),
      ON_LOOP(time_in_which_nothing_could_be_read_is_given_back),
      ON_LOOP(a_short_delay_gives_back_as_much),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
