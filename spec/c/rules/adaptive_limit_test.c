/* How many jobs at once the service bears: halved by 429, restored by success.
 */
#include "check.h"

#include "engine/rules/adaptive_limit.h"

static void nothing_changes_while_all_is_well(void **state) {
  AdaptiveLimit limit;
  (void)state;
  adaptive_limit_init(&limit, 8);
  for (int i = 0; i < 100; i++)
    adaptive_limit_on_success(&limit, i);
  assert_int_equal(limit.current, 8);
}

static void each_storm_halves_it_down_to_one(void **state) {
  static const unsigned limits[] = {8, 4, 2, 1, 1, 1};
  AdaptiveLimit limit;
  (void)state;
  adaptive_limit_init(&limit, 17);
  for (size_t i = 0; i < COUNT(limits); i++) {
    adaptive_limit_on_429(&limit, 100 + (double)i, -1);
    check(limit.current == limits[i], "storm %zu: %u", i, limit.current);
  }
}

/* The jobs that were on their way are all refused at once: that is one sign,
 * not many. */
static void one_storm_counts_once(void **state) {
  static const struct {
    double wish, quiet;
  } rows[] = {{-1, 1}, {0, 1}, {0.5, 1}, {1, 1}, {7, 7}, {30, 30}, {900, 30}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    AdaptiveLimit limit;
    adaptive_limit_init(&limit, 8);
    adaptive_limit_on_429(&limit, 50, rows[i].wish);
    adaptive_limit_on_429(&limit, 50, 900);
    adaptive_limit_on_429(&limit, 50 + rows[i].quiet - 0.01, 900);
    check(limit.current == 4, "row %zu: %u", i, limit.current);
    adaptive_limit_on_429(&limit, 50 + rows[i].quiet, -1);
    check(limit.current == 2, "row %zu: %u", i, limit.current);
  }
}

static void successes_give_back_one_after_the_other(void **state) {
  static const unsigned needed[] = {2, 3, 4, 5, 6, 7};
  AdaptiveLimit limit;
  (void)state;
  adaptive_limit_init(&limit, 8);
  adaptive_limit_on_429(&limit, 0, -1);
  adaptive_limit_on_429(&limit, 1, -1);
  assert_int_equal(limit.current, 2);
  for (size_t i = 0; i < COUNT(needed); i++) {
    for (unsigned k = 1; k < needed[i]; k++)
      adaptive_limit_on_success(&limit, 10);
    check(limit.current == needed[i], "too early after %zu", i);
    adaptive_limit_on_success(&limit, 10);
    check(limit.current == needed[i] + 1, "too late after %zu", i);
  }
  for (unsigned k = 0; k < 100; k++)
    adaptive_limit_on_success(&limit, 11);
  assert_int_equal(limit.current, 8); /* never more than the host allows */
}

/* Creates that were let go before the storm say nothing about the time after.
 */
static void successes_within_the_storm_do_not_count(void **state) {
  AdaptiveLimit limit;
  (void)state;
  adaptive_limit_init(&limit, 4);
  adaptive_limit_on_429(&limit, 0, 10);
  for (unsigned k = 0; k < 100; k++)
    adaptive_limit_on_success(&limit, 9.9);
  assert_int_equal(limit.current, 2);
  adaptive_limit_on_success(&limit, 10);
  adaptive_limit_on_429(&limit, 10, -1); /* what was earned is lost */
  assert_int_equal(limit.current, 1);
  adaptive_limit_on_success(&limit, 11);
  assert_int_equal(limit.current, 2);
  adaptive_limit_on_success(&limit, 11);
  assert_int_equal(limit.current, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_changes_while_all_is_well),
      cmocka_unit_test(each_storm_halves_it_down_to_one),
      cmocka_unit_test(one_storm_counts_once),
      cmocka_unit_test(successes_give_back_one_after_the_other),
      cmocka_unit_test(successes_within_the_storm_do_not_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
