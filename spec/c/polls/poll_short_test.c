/* Jobs that end within a few polls, or before the first one: what is learned of
 * them, and that they are noticed no later than by the documented loop. */
#include "check.h"

#include "learning.h"

#define JOBS 40
#define LIVES 40

/* What jobs take: of even chance between the two, or a world's. */
typedef struct Kind {
  const char *name;
  double from, to;
  World world;
} Kind;

static double draw(const Kind *kind, uint64_t *seed) {
  if (kind->to > 0)
    return kind->from + (kind->to - kind->from) * random_unit(seed);
  return world_draw(&kind->world, seed);
}

/* Mean lag and polls of the jobs from `first` on, of clients that know nothing
 * at their beginning; and of the documented loop for the same jobs. */
static Cost live(const Kind *kind, int first, Cost *loop) {
  Cost sum = {0, 0};
  const double each = 1.0 / LIVES / (JOBS - first);
  *loop = sum;
  for (unsigned i = 0; i < LIVES; i++) {
    static Client client;
    start(&client, i);
    for (int k = 0; k < JOBS; k++) {
      double seconds = draw(kind, &client.seed);
      double polls = ceil(seconds / 2.5);
      Cost cost;
      make_plan(&client);
      cost = do_job(&client, seconds);
      if (k < first)
        continue;
      sum.lag += cost.lag * each;
      sum.polls += cost.polls * each;
      loop->lag += (2.5 * polls - seconds) * each;
      loop->polls += polls * each;
    }
  }
  return sum;
}

static const Kind kinds[] = {
    {"always 1 s", 1, 1, {0}},
    {"always 3 s", 3, 3, {0}},
    {"1 to 3 s", 1, 3, {0}},
    {"4 to 7 s", 4, 7, {0}},
    {"0.2 to 9 s", 0.2, 9, {0}},
    {"0.5 s, 0.3", 0, 0, {"", {{1, 0.5, 0.3}, NO_MORE}}},
    {"1 s, 0.25", 0, 0, {"", {{1, 1, 0.25}, NO_MORE}}},
    {"2 s, 0.25", 0, 0, {"", {{1, 2, 0.25}, NO_MORE}}},
    {"3 s, 0.25", 0, 0, {"", {{1, 3, 0.25}, NO_MORE}}},
    {"5 s, 0.25", 0, 0, {"", {{1, 5, 0.25}, NO_MORE}}},
    {"8 s, 0.25", 0, 0, {"", {{1, 8, 0.25}, NO_MORE}}},
    {"5 s, 0.7", 0, 0, {"", {{1, 5, 0.7}, NO_MORE}}},
};

/* Of the loop's lag, from the fifth job on. */
static void short_jobs_are_noticed_sooner_than_by_the_loop(void **state) {
  static const double wanted[COUNT(kinds)] = {
      0.70, 0.25, 0.85, 0.45, 0.97, 0.80, 0.75, 0.95, 0.55, 0.55, 0.55, 0.98};
  (void)state;
  for (size_t i = 0; i < COUNT(kinds); i++) {
    Cost loop, cost = live(&kinds[i], POLL_BOOK_LEAST, &loop);
    check(cost.lag < wanted[i] * loop.lag, "%s: lag %.3f of the loop's",
          kinds[i].name, cost.lag / loop.lag);
    check(cost.polls < 1.03 * loop.polls, "%s: polls %.3f of the loop's",
          kinds[i].name, cost.polls / loop.polls);
  }
}

/* The more that is known, the better: and never half of the first pause. */
static void what_always_takes_the_same_is_learned(void **state) {
  static const double lengths[] = {3, 4, 5, 7, 9, 9.9};
  (void)state;
  for (size_t i = 0; i < COUNT(lengths); i++)
    for (unsigned jobs = 12; jobs <= 60; jobs *= 2) {
      static Client client;
      double p50;
      start(&client, (unsigned)i);
      for (unsigned k = 0; k < jobs; k++) {
        make_plan(&client);
        do_job(&client, lengths[i]);
      }
      make_plan(&client);
      p50 = outlook_left(&client.outlook, 0, 0.5);
      check(fabs(p50 - lengths[i]) < 0.12 * lengths[i], "%g s after %u: %.2f",
            lengths[i], jobs, p50);
    }
}

/* A share of nine in ten, or a little more where no look told lengths apart. */
static void the_outlook_of_short_jobs_is_honest(void **state) {
  static const unsigned jobs[] = {4, 8, 20, 40};
  static const Kind spread[] = {
      {"4 to 7 s", 4, 7, {0}},
      {"3 s, 0.25", 0, 0, {"", {{1, 3, 0.25}, NO_MORE}}},
      {"8 s, 0.25", 0, 0, {"", {{1, 8, 0.25}, NO_MORE}}},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(spread); i++)
    for (size_t n = 0; n < COUNT(jobs); n++) {
      double covered = 0;
      unsigned lives = 800 / jobs[n];
      for (unsigned h = 0; h < lives; h++) {
        static Client client;
        double p90;
        start(&client, 100 + h);
        for (unsigned k = 0; k < jobs[n]; k++) {
          make_plan(&client);
          do_job(&client, draw(&spread[i], &client.seed));
        }
        make_plan(&client);
        p90 = outlook_left(&client.outlook, 0, 0.1);
        for (int k = 0; k < 50; k++)
          covered += draw(&spread[i], &client.seed) <= p90;
      }
      covered /= 50 * lives;
      check(covered > 0.84 && covered < 0.97, "%s after %u: p90 covers %.3f",
            spread[i].name, jobs[n], covered);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(short_jobs_are_noticed_sooner_than_by_the_loop),
      cmocka_unit_test(what_always_takes_the_same_is_learned),
      cmocka_unit_test(the_outlook_of_short_jobs_is_honest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
