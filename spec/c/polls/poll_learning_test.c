/* Learning when to poll: how soon it is better than the documented loop, what
 * it does when the service changes, and whether its outlook is honest. */
#include "check.h"

#include "learning.h"

/* Of the loop's lag, as it was wanted: for 20 jobs and 100 in the first world,
 * and nowhere worse than the loop after 40. */
static void twenty_jobs_teach_most_of_it(void **state) {
  static const struct {
    unsigned jobs;
    double lag[COUNT(worlds)];
  } rows[] = {{19, {0.66, 0.42, 1, 0.72, 0.68}},
              {40, {0.65, 0.40, 0.95, 0.68, 0.66}},
              {99, {0.64, 0.38, 0.93, 0.66, 0.64}}};
  (void)state;
  for (size_t k = 0; k < COUNT(rows); k++)
    for (size_t i = 0; i < COUNT(worlds); i++) {
      Cost loop = loop_cost(&worlds[i]);
      double covered;
      Cost cost = expect_after(&worlds[i], rows[k].jobs, &covered);
      check(cost.lag < rows[k].lag[i] * loop.lag, "%s after %u: lag %.3f",
            worlds[i].name, rows[k].jobs, cost.lag / loop.lag);
      check(cost.polls < 1.03 * loop.polls, "%s after %u: polls %.3f",
            worlds[i].name, rows[k].jobs, cost.polls / loop.polls);
      check(covered > 0.85 && covered < 0.95, "%s after %u: p90 covers %.3f",
            worlds[i].name, rows[k].jobs, covered);
    }
}

/* ---- a service that changes ---- */

/* After 60 jobs all take `factor` as long: the mean lag of jobs `from` to `to`
 * after that, and the worst. */
static double lag_after_change(double factor, int from, int to, double *worst) {
  double sum = 0;
  *worst = 0;
  for (unsigned i = 0; i < HISTORIES; i++) {
    static Client client;
    start(&client, i);
    do_jobs(&client, &worlds[0], 60);
    for (int k = 0; k < to; k++) {
      Cost cost;
      make_plan(&client);
      cost = do_job(&client, factor * world_draw(&worlds[0], &client.seed));
      *worst = fmax(*worst, cost.lag);
      if (k >= from)
        sum += cost.lag / HISTORIES / (to - from);
    }
  }
  return sum;
}

static void a_change_is_learned_in_twenty_jobs(void **state) {
  static const struct {
    double factor, first, later; /* seconds of lag: 5 jobs, after 20 */
  } rows[] = {{2, 1, 1}, {0.5, 1.8, 0.95}, {4, 1.6, 1.15}, {0.25, 2.4, 1.1}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    double worst;
    double first = lag_after_change(rows[i].factor, 0, 5, &worst);
    double later = lag_after_change(rows[i].factor, 20, 40, &worst);
    check(first < rows[i].first && later < rows[i].later && worst <= 10,
          "%g times as long: %.2f s, then %.2f s, at worst %.2f s",
          rows[i].factor, first, later, worst);
  }
}

/* What stays as it is, is not forgotten, whatever it looks like. */
static void chance_is_no_change(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(worlds); i++) {
    unsigned kept = 0;
    for (unsigned k = 0; k < HISTORIES; k++) {
      Durations known = {0};
      uint64_t seed = 1 + k;
      for (int n = 0; n < 200; n++) {
        durations_add(&known, seen_as(1e4 * n, world_draw(&worlds[i], &seed)));
        durations_part(&known);
      }
      kept += count_since(&known) == DURATIONS_MAX;
    }
    check(kept >= 0.8 * HISTORIES, "%s: only %u", worlds[i].name, kept);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(twenty_jobs_teach_most_of_it),
      cmocka_unit_test(a_change_is_learned_in_twenty_jobs),
      cmocka_unit_test(chance_is_no_change),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
