/* A service that becomes slower or faster job by job: no more polls than the
 * documented loop, and an outlook that follows; and what mixtures and very
 * short jobs are expected to take. */
#include "check.h"

#include "crowd.h"

#define LIVES 4

static Crowd crowd;

typedef struct Drift {
  double start, growth, spread;
  unsigned side, jobs;
  double polls; /* of the loop's, at most */
} Drift;

static const Drift drifts[] = {
    {6, 1.01, 0.1, 3, 150, 1},      {3, 1.02, 0.15, 3, 120, 1},
    {4, 1.02, 0.1, 2, 100, 1},      {3, 1.025, 0.1, 1, 80, 1},
    {3, 1.03, 0.1, 3, 90, 1},       {3, 1.05, 0.1, 3, 60, 1},
    {10, 1.02, 0.35, 4, 100, 1.01}, {10, 1.01, 0.35, 1, 150, 1.03},
    {60, 0.98, 0.1, 3, 100, 1},
};

static void a_drift_costs_no_more_polls_than_the_loop(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(drifts); i++) {
    const Drift *drift = &drifts[i];
    double ours = 0, loop = 0, within = 0, told = 0;
    for (unsigned history = 0; history < LIVES; history++) {
      crowd_start(&crowd, history);
      for (unsigned k = 0; k < drift->jobs || crowd.count > 0;) {
        while (crowd.count < drift->side && k < drift->jobs) {
          World world = {"", {{1, drift->start, drift->spread}, NO_MORE}};
          double seconds =
              pow(drift->growth, k++) * world_draw(&world, &crowd.client.seed);
          crowd_begin(&crowd, seconds);
          if (k > 20) {
            told++;
            within += seconds <= crowd_middle(&crowd);
          }
        }
        crowd_poll(&crowd);
      }
      ours += crowd.tally.ours.polls;
      loop += crowd.tally.loop.polls;
    }
    check(ours < drift->polls * loop, "row %zu: polls %.3f of the loop's", i,
          ours / loop);
    check(within > 0.2 * told && within < 0.75 * told, "row %zu: p50 %.2f", i,
          within / told);
  }
}

/* So many of each length in turn, as a ledger tells them. */
static void learn(const double *lengths, unsigned kinds, unsigned jobs) {
  crowd_start(&crowd, 1);
  for (unsigned k = 0; k < jobs; k++) {
    double seconds = lengths[k % kinds], apart = fmin(1.25, seconds / 4);
    crowd.client.now += 300;
    poll_book_add(&crowd.client.book, CLASS,
                  (Duration){crowd.client.now, (float)(seconds - apart),
                             (float)(seconds + apart)});
  }
  make_plan(&crowd.client);
}

static void a_mixture_is_not_expected_to_take_longer_than_any(void **state) {
  static const double mixes[][3] = {
      {3, 60, 60}, {20, 60, 60}, {10, 30, 90}, {1, 200, 200}};
  static const unsigned kinds[] = {2, 2, 3, 2};
  (void)state;
  for (size_t i = 0; i < COUNT(mixes); i++) {
    double longest = mixes[i][kinds[i] - 1], p90;
    learn(mixes[i], kinds[i], 60);
    p90 = outlook_left(&crowd.client.outlook, 0, 0.1);
    check(p90 > 0.95 * longest && p90 < 1.12 * longest, "row %zu: p90 %.1f", i,
          p90);
  }
}

static void what_takes_no_time_is_known(void **state) {
  static const double lengths[] = {0.1, 0.26, 0.3, 0.6, 1};
  (void)state;
  for (size_t i = 0; i < COUNT(lengths); i++) {
    double p50, p90;
    learn(&lengths[i], 1, 20);
    p50 = outlook_left(&crowd.client.outlook, 0, 0.5);
    p90 = outlook_left(&crowd.client.outlook, 0, 0.1);
    check(fabs(p50 - lengths[i]) < 0.1 * lengths[i] && p90 > p50 &&
              p90 < 1.4 * lengths[i],
          "%g s: %.3f, %.3f", lengths[i], p50, p90);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_drift_costs_no_more_polls_than_the_loop),
      cmocka_unit_test(a_mixture_is_not_expected_to_take_longer_than_any),
      cmocka_unit_test(what_takes_no_time_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
