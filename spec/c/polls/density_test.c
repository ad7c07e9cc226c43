/* What follows from jobs of which it is known only between which two looks they
 * ended. */
#include "check.h"

#include "looks.h"

#include "engine/polls/density.h"
#include "engine/polls/survival.h"

#include <math.h>

static Durations known;
static Survival survival;

static double began;

static void forget_all(void) {
  known = (Durations){0};
}

/* One after the other. */
static void add(unsigned times, double low, double high) {
  for (unsigned i = 0; i < times; i++)
    durations_add(&known, (Duration){began += 1e6, (float)low, (float)high});
}

/* The share that is thought to end between the two. */
static double share(double from, double to) {
  Density density;
  density_fill(&density, &known);
  return density_below(&density, to) - density_below(&density, from);
}

static double time_of(double chance) {
  survival_fill(&survival, &known);
  return survival_time(&survival, chance);
}

static void the_share_below_a_time_grows_from_0_to_1(void **state) {
  static const struct {
    double low, high;
  } rows[] = {{0, 0.01}, {0, 10},      {2, 4.5},       {24.9, 25},
              {0, 500},  {1000, 1010}, {86000, 86400}, {1e-4, 2e-4}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    for (unsigned times = 1; times <= DURATIONS_MAX; times *= 2) {
      Density density;
      double last = 0;
      forget_all();
      add(times, rows[i].low, rows[i].high);
      density_fill(&density, &known);
      for (size_t k = 0; k <= DENSITY_CELLS; k++) {
        check(density.below[k] >= last - 1e-12 && density.below[k] < 1 + 1e-9,
              "row %zu, %u times: %g after %g", i, times, density.below[k],
              last);
        last = density.below[k];
      }
      check(density_below(&density, 0) < 0.02 || rows[i].low < 1, "row %zu", i);
    }
}

/* No look told where: all of it, and little beyond. */
static void what_no_look_told_apart_stays_wide(void **state) {
  (void)state;
  forget_all();
  add(20, 2, 4.5);
  for (int i = 0; i < 5; i++) {
    double part = share(2 + i * 0.5, 2.5 + i * 0.5);
    check(part > 0.08 && part < 0.3, "part %d: %.2f", i, part);
  }
  assert_true(share(0, 1.7) + share(5.3, 1000) < 0.06);
}

/* The close looks say where in the wide ones the end was. */
static void close_looks_narrow_the_wide_ones(void **state) {
  (void)state;
  forget_all();
  add(12, 0, 10);
  assert_true(share(2.5, 3.6) < 0.2);
  add(12, 2.8, 3.3);
  check(share(2.5, 3.6) > 0.85, "%.2f", share(2.5, 3.6));
  forget_all();
  add(8, 0, 3.2);
  add(8, 2.7, 5.2);
  check(share(2.4, 3.5) > 0.75, "%.2f", share(2.4, 3.5));
}

/* Looks that have nothing in common are two kinds of jobs. */
static void looks_apart_stay_apart(void **state) {
  (void)state;
  forget_all();
  for (int i = 0; i < 10; i++) { /* in turn: it is no change */
    add(1, 4, 6);
    add(1, 40, 42);
  }
  check(fabs(share(2, 12) - 0.5) < 0.05 && share(12, 20) < 0.05,
        "%.2f, and %.2f between", share(2, 12), share(12, 20));
}

/* What is one second wide is not known better than that. */
static void the_outlook_is_as_wide_as_the_looks(void **state) {
  (void)state;
  forget_all();
  add(10, 2, 4.5);
  add(10, 4.5, 7);
  check(time_of(0.1) > 6.2 && time_of(0.1) < 7.6, "p90 is %.2f", time_of(0.1));
  check(fabs(time_of(0.5) - 4.5) < 0.5, "p50 is %.2f", time_of(0.5));
  forget_all();
  add(20, 4.4, 4.6);
  assert_true(time_of(0.1) < 5.5);
}

static void where_looks_were_close_it_is_what_they_saw(void **state) {
  (void)state;
  forget_all();
  for (int i = 0; i < 100; i++)
    add(1, 9.99 + 0.2 * (i * 37 % 100), 10.01 + 0.2 * (i * 37 % 100));
  for (int i = 1; i < 10; i++)
    check(fabs(time_of(1 - i / 10.0) - 10 - 2 * i) < 0.9, "%d0 %%: %.2f", i,
          time_of(1 - i / 10.0));
}

/* A first poll that finds it done does not make a slow service fast. */
static void a_wide_look_is_no_change(void **state) {
  (void)state;
  forget_all();
  add(20, 2.9, 3.2);
  add(12, 0, 3.3);
  durations_part(&known);
  assert_int_equal(count_since(&known), 32);
  forget_all();
  add(20, 5, 5.2);
  add(8, 4, 40); /* nobody looked for a while: it may have been as before */
  durations_part(&known);
  assert_int_equal(count_since(&known), 28);
  forget_all();
  add(20, 0, 10); /* they may have taken 9 seconds, too */
  add(8, 9, 11);
  durations_part(&known);
  assert_int_equal(count_since(&known), 28);
  forget_all();
  add(20, 24, 26);
  add(8, 0, 5); /* this is one */
  durations_part(&known);
  check(count_since(&known) <= 8, "%u are known", count_since(&known));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_share_below_a_time_grows_from_0_to_1),
      cmocka_unit_test(what_no_look_told_apart_stays_wide),
      cmocka_unit_test(close_looks_narrow_the_wide_ones),
      cmocka_unit_test(looks_apart_stay_apart),
      cmocka_unit_test(the_outlook_is_as_wide_as_the_looks),
      cmocka_unit_test(where_looks_were_close_it_is_what_they_saw),
      cmocka_unit_test(a_wide_look_is_no_change),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
