/* When to poll: what a plan costs, exactly, and its guards. */
#include "check.h"

#include "worlds.h"

#define EDGE 1e-6

static PollPlan plan_for(const Durations *known, double share) {
  static Survival survival;
  PollPlan plan = {0};
  survival_fill(&survival, known);
  poll_plan_make(&plan, &survival, share);
  return plan;
}

static PollPlan plan_in(const World *world, double share) {
  Durations known;
  world_learn(world, &known);
  return plan_for(&known, share);
}

/* By dynamic programming of the test's own, on another grid. */
static void a_plan_is_near_the_best_that_its_polls_can_do(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(worlds); i++) {
    PollPlan plan = plan_in(&worlds[i], 1);
    Cost cost = world_cost(&worlds[i], poll_plan_pause, &plan, 0.5);
    Cost best = optimum_for(&worlds[i], cost.polls);
    check(cost.lag < 1.06 * best.lag && cost.lag > 0.97 * best.lag,
          "%s: %.3f s with %.2f polls, at best %.3f s", worlds[i].name,
          cost.lag, cost.polls, best.lag);
  }
}

/* What was wanted of each world, of the lag of the loop in the documentation:
 * and never more polls. */
static void a_plan_is_better_than_the_documented_loop(void **state) {
  static const double wanted[COUNT(worlds)] = {0.62, 0.36, 0.90, 0.62, 0.61};
  (void)state;
  for (size_t i = 0; i < COUNT(worlds); i++) {
    PollPlan plan = plan_in(&worlds[i], 1);
    Cost loop = loop_cost(&worlds[i]);
    for (int k = 0; k <= 2; k++) {
      double random = k / 2.0;
      Cost cost = world_cost(&worlds[i], poll_plan_pause, &plan, random);
      double more = k == 1 ? 1 : 1.13; /* no job has all its luck */
      check(cost.lag < more * wanted[i] * loop.lag &&
                cost.polls < 1.01 * more * loop.polls,
            "%s, %.1f: lag %.3f of the loop's, polls %.3f", worlds[i].name,
            random, cost.lag / loop.lag, cost.polls / loop.polls);
    }
  }
}

/* For accounts whose rate is limited. */
static void a_share_of_the_polls_is_kept_to(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(worlds); i++) {
    double last = INFINITY;
    for (int k = 4; k <= 8; k++) {
      double share = k / 8.0;
      PollPlan plan = plan_in(&worlds[i], share);
      Cost cost = world_cost(&worlds[i], poll_plan_pause, &plan, 0.5);
      check(cost.polls < 1.01 * share * loop_cost(&worlds[i]).polls,
            "%s: %.2f polls for a share of %.3f", worlds[i].name, cost.polls,
            share);
      check(cost.lag < last, "%s: share %.3f", worlds[i].name, share);
      last = cost.lag;
    }
  }
}

/* ---- guards ---- */

/* Services of milliseconds and of hours, and one that always takes the same. */
static const World extremes[] = {
    {"0.05 s", {{1, 0.05, 0.3}, NO_MORE}},
    {"1 s", {{1, 1, 0.3}, NO_MORE}},
    {"25 s, no spread", {{1, 25, 0.001}, NO_MORE}},
    {"200 s", {{1, 200, 0.35}, NO_MORE}},
    {"an hour", {{1, 3600, 0.35}, NO_MORE}},
    {"all lengths", {{1, 20, 3}, NO_MORE}},
    {"two", {{0.5, 2, 0.1}, {0.5, 90, 0.1}}},
};

static void check_guards(const World *world, const PollPlan *plan,
                         double random) {
  double at = 0;
  check(plan->count > 0 && plan->count <= POLL_PLAN_MAX, "%s", world->name);
  while (at < 700) {
    double pause = poll_plan_pause(plan, at, random);
    check(pause > 0.5 - EDGE && pause < (at > 0 ? 5 : 10) + EDGE,
          "%s: %f s at %f", world->name, pause, at);
    at += pause;
  }
}

static void the_guards_hold_everywhere(void **state) {
  static const double randoms[] = {0, 0.25, 0.5, 0.75, 0.999999};
  static const double shares[] = {0.01, 0.5, 1};
  (void)state;
  for (size_t i = 0; i < COUNT(worlds) + COUNT(extremes); i++)
    for (size_t k = 0; k < COUNT(shares); k++) {
      const World *world =
          i < COUNT(worlds) ? &worlds[i] : &extremes[i - COUNT(worlds)];
      PollPlan plan = plan_in(world, shares[k]);
      for (size_t j = 0; j < COUNT(randoms); j++)
        check_guards(world, &plan, randoms[j]);
    }
}

/* Where all the polls of the loop would come in the longest gaps. */
static void past_the_longest_duration_polls_are_rare(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(worlds); i++) {
    Durations known;
    PollPlan plan;
    double longest = 0;
    world_learn(&worlds[i], &known);
    plan = plan_for(&known, 1);
    for (unsigned k = 0; k < known.count; k++)
      longest = fmax(longest, middle_of(&known.ones[k]));
    for (int k = 0; k < 400; k++) {
      double age = 1.5 * longest + 0.1 + 0.7 * k;
      check(poll_plan_pause(&plan, age, 0.5) > 5 - EDGE, "%s: at %f of %f",
            worlds[i].name, age, longest);
    }
  }
}

/* An hour has more good times than a plan: the rest is the loop. */
static void where_a_plan_is_full_the_loop_goes_on(void **state) {
  PollPlan plan = plan_in(&extremes[3], 1);
  (void)state;
  assert_int_equal(plan.count, POLL_PLAN_MAX);
  check(fabs(poll_plan_pause(&plan, (double)plan.times[63] + 1, 0.5) - 2.5) <
            EDGE,
        "not the loop's");
}

/* A poll that came early by its jitter is not repeated at once; one that came
 * late skips what it missed. */
static void the_next_time_counts_from_where_the_job_is(void **state) {
  PollPlan plan = {.count = 3, .times = {10, 12, 14}, .after = 5, .end = 20};
  static const struct {
    double age, pause;
  } rows[] = {{0, 10},     {0.1, 9.9}, {9, 3},      {10, 2},
              {10.5, 1.5}, {11, 1},    {11.9, 2.1}, {12, 2},
              {13.6, 0.5}, {13.9, 5},  {14, 5},     {300, 5}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    double wanted = rows[i].age > 0 && rows[i].age < 0.5
                        ? rows[i].pause
                        : fmin(rows[i].pause, rows[i].age > 0 ? 5 : 10);
    check(fabs(poll_plan_pause(&plan, rows[i].age, 0.5) - wanted) < EDGE,
          "at %f: %f", rows[i].age, poll_plan_pause(&plan, rows[i].age, 0.5));
  }
}

static void polls_differ_by_a_tenth_of_their_gap(void **state) {
  PollPlan plan = {.count = 2, .times = {8, 12}, .after = 5, .end = 20};
  (void)state;
  assert_true(fabs(poll_plan_pause(&plan, 0, 0) - 7.2) < EDGE);
  assert_true(fabs(poll_plan_pause(&plan, 0, 1) - 8.8) < EDGE);
  assert_true(fabs(poll_plan_pause(&plan, 8, 0) - 3.6) < EDGE);
  assert_true(fabs(poll_plan_pause(&plan, 12, 1) - 5) < EDGE); /* a guard */
}

/* The last search shortens the next one, and changes little. */
static void a_plan_made_again_is_as_good(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(worlds); i++)
    for (size_t k = 0; k < COUNT(worlds); k++) {
      static Survival survival;
      Durations known;
      PollPlan fresh = plan_in(&worlds[k], 1), again = plan_in(&worlds[i], 1);
      Cost a, b;
      world_learn(&worlds[k], &known);
      survival_fill(&survival, &known);
      poll_plan_make(&again, &survival, 1);
      a = world_cost(&worlds[k], poll_plan_pause, &fresh, 0.5);
      b = world_cost(&worlds[k], poll_plan_pause, &again, 0.5);
      check(b.lag < 1.03 * a.lag &&
                b.polls < 1.01 * loop_cost(&worlds[k]).polls,
            "%s after %s: %.3f s, not %.3f", worlds[k].name, worlds[i].name,
            b.lag, a.lag);
    }
}

/* ---- what was not by plan ---- */

/* It began as the loop: it goes on so until the plan has come to as many. */
static void a_job_makes_up_for_polls_beyond_its_plan(void **state) {
  PollPlan plan = {.count = 4,
                   .times = {10, 11, 12, 13},
                   .after = 5,
                   .end = 20,
                   .rate = 0,
                   .loop = 2.5f};
  static const struct {
    double age;
    unsigned polls;
    double pause;
  } rows[] = {{10, 1, 1},   {10, 4, 2.5}, {10, 5, 2.5},
              {13, 5, 2.5}, {13, 4, 5},   {10, 9, 2.5},
              {13, 9, 5},   {18, 5, 5},   {17, 9, 5}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    double pause = poll_plan_next(&plan, rows[i].age, rows[i].polls, 0.5);
    check(fabs(pause - rows[i].pause) < EDGE, "row %zu: %f", i, pause);
  }
}

/* The longest gaps are not in a plan, and their polls are no more than it has.
 */
static void the_polls_of_the_longest_gaps_are_by_plan(void **state) {
  PollPlan plan = {.count = 2,
                   .times = {10, 24},
                   .after = 5,
                   .end = 60,
                   .rate = 0,
                   .loop = 2.5f};
  (void)state;
  assert_true(fabs(poll_plan_next(&plan, 20, 3, 0.5) - 4) < EDGE);
  assert_true(fabs(poll_plan_next(&plan, 24, 4, 0.5) - 5) < EDGE);
}

static void a_few_are_looked_at_sooner(void **state) {
  PollPlan plan = {.count = 1, .times = {10}, .after = 5, .loop = 2.5f};
  unsigned sooner = 0;
  (void)state;
  for (int i = 0; i < 1000; i++) {
    double pause = poll_plan_next(&plan, 0, 0, i / 1000.0);
    assert_true(pause >= 0.5 && pause <= 10);
    sooner += pause < 8.9;
    assert_true(poll_plan_next(&plan, 1, 1, i / 1000.0) > 2);
  }
  check(sooner > 50 && sooner < 150, "%u of 1000", sooner);
  plan.times[0] = 4; /* soon enough */
  assert_true(poll_plan_next(&plan, 0, 0, 0.001) > 3.5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_plan_is_near_the_best_that_its_polls_can_do),
      cmocka_unit_test(a_plan_is_better_than_the_documented_loop),
      cmocka_unit_test(a_share_of_the_polls_is_kept_to),
      cmocka_unit_test(the_guards_hold_everywhere),
      cmocka_unit_test(past_the_longest_duration_polls_are_rare),
      cmocka_unit_test(where_a_plan_is_full_the_loop_goes_on),
      cmocka_unit_test(the_next_time_counts_from_where_the_job_is),
      cmocka_unit_test(polls_differ_by_a_tenth_of_their_gap),
      cmocka_unit_test(a_plan_made_again_is_as_good),
      cmocka_unit_test(a_job_makes_up_for_polls_beyond_its_plan),
      cmocka_unit_test(the_polls_of_the_longest_gaps_are_by_plan),
      cmocka_unit_test(a_few_are_looked_at_sooner),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
