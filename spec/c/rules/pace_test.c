/* How many jobs at once the service bears: halved by 429, restored by success.
 */
#include "check.h"

#include "engine/rules/pace.h"

static void nothing_changes_while_all_is_well(void **state) {
  Pace pace;
  (void)state;
  pace_init(&pace, 8);
  for (int i = 0; i < 100; i++)
    pace_succeed(&pace, i);
  assert_int_equal(pace.limit, 8);
}

static void each_storm_halves_it_down_to_one(void **state) {
  static const unsigned limits[] = {8, 4, 2, 1, 1, 1};
  Pace pace;
  (void)state;
  pace_init(&pace, 17);
  for (size_t i = 0; i < COUNT(limits); i++) {
    pace_slow_down(&pace, 100 + (double)i, -1);
    check(pace.limit == limits[i], "storm %zu: %u", i, pace.limit);
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
    Pace pace;
    pace_init(&pace, 8);
    pace_slow_down(&pace, 50, rows[i].wish);
    pace_slow_down(&pace, 50, 900);
    pace_slow_down(&pace, 50 + rows[i].quiet - 0.01, 900);
    check(pace.limit == 4, "row %zu: %u", i, pace.limit);
    pace_slow_down(&pace, 50 + rows[i].quiet, -1);
    check(pace.limit == 2, "row %zu: %u", i, pace.limit);
  }
}

static void successes_give_back_one_after_the_other(void **state) {
  static const unsigned needed[] = {2, 3, 4, 5, 6, 7};
  Pace pace;
  (void)state;
  pace_init(&pace, 8);
  pace_slow_down(&pace, 0, -1);
  pace_slow_down(&pace, 1, -1);
  assert_int_equal(pace.limit, 2);
  for (size_t i = 0; i < COUNT(needed); i++) {
    for (unsigned k = 1; k < needed[i]; k++)
      pace_succeed(&pace, 10);
    check(pace.limit == needed[i], "too early after %zu", i);
    pace_succeed(&pace, 10);
    check(pace.limit == needed[i] + 1, "too late after %zu", i);
  }
  for (unsigned k = 0; k < 100; k++)
    pace_succeed(&pace, 11);
  assert_int_equal(pace.limit, 8); /* never more than the host allows */
}

/* Creates that were let go before the storm say nothing about the time after.
 */
static void successes_within_the_storm_do_not_count(void **state) {
  Pace pace;
  (void)state;
  pace_init(&pace, 4);
  pace_slow_down(&pace, 0, 10);
  for (unsigned k = 0; k < 100; k++)
    pace_succeed(&pace, 9.9);
  assert_int_equal(pace.limit, 2);
  pace_succeed(&pace, 10);
  pace_slow_down(&pace, 10, -1); /* what was earned is lost */
  assert_int_equal(pace.limit, 1);
  pace_succeed(&pace, 11);
  assert_int_equal(pace.limit, 2);
  pace_succeed(&pace, 11);
  assert_int_equal(pace.limit, 2);
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
