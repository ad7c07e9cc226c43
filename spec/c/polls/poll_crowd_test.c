/* Jobs side by side: the short ones end first, and are not taken for all there
 * are; and a service that changes is learned while they run. */
#include "check.h"

#include "crowd.h"

#define LIVES 6

static Crowd crowd;

static const World sixty = {"60 s, 0.2", {{1, 60, 0.2}, NO_MORE}};
static const World medium = {"25 s, 0.2", {{1, 25, 0.2}, NO_MORE}};

static void add(Tally *sum, const Tally *one) {
  sum->ours.polls += one->ours.polls;
  sum->ours.lag += one->ours.lag;
  sum->loop.polls += one->loop.polls;
  sum->loop.lag += one->loop.lag;
}

/* It knew nothing when they began: it is no worse than the loop, about. */
static void a_first_burst_polls_as_the_loop(void **state) {
  static const struct {
    double polls, lag; /* of the loop's */
  } wanted[COUNT(worlds)] = {
      {1.12, 1}, {1.1, 1}, {1.1, 1.05}, {1.12, 1}, {1.12, 1}};
  (void)state;
  for (size_t i = 0; i < COUNT(worlds); i++) {
    Tally sum = {0};
    for (unsigned k = 0; k < 2 * LIVES; k++) {
      crowd_start(&crowd, k);
      crowd_run(&crowd, &worlds[i], 1, 80, 80);
      add(&sum, &crowd.tally);
    }
    check(sum.ours.polls < wanted[i].polls * sum.loop.polls &&
              sum.ours.lag < wanted[i].lag * sum.loop.lag,
          "%s: polls %.3f of the loop's, lag %.3f", worlds[i].name,
          sum.ours.polls / sum.loop.polls, sum.ours.lag / sum.loop.lag);
  }
}

/* 64 as ever, and 64 that take `factor` as long; then what it expects of the
 * next one, of what it takes. */
static double expected_after(const World *world, double factor, unsigned side,
                             unsigned history) {
  crowd_start(&crowd, history);
  crowd_run(&crowd, world, 1, side, 64);
  crowd.tally = (Tally){0};
  crowd_run(&crowd, world, factor, side, 64);
  crowd.client.now += 1; /* a plan a second */
  poll_book_update(&crowd.client.book, CLASS, (Duration){0, 0, DURATION_OPEN});
  crowd_plan(&crowd);
  return crowd_middle(&crowd) / factor / world->parts[0].median;
}

static void a_change_is_learned_from_64_side_by_side(void **state) {
  static const struct {
    const World *world;
    double factor;
    unsigned side;
  } rows[] = {{&sixty, 1 / 60.0, 4}, {&sixty, 1 / 60.0, 10},
              {&medium, 4, 4},       {&medium, 4, 10},
              {&medium, 4, 64},      {&medium, 0.25, 10}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Tally sum = {0};
    for (unsigned k = 0; k < LIVES; k++) {
      double right =
          expected_after(rows[i].world, rows[i].factor, rows[i].side, k);
      check(right < 1.5 && right > 1 / 1.5, "row %zu, %u: %.2f", i, k, right);
      add(&sum, &crowd.tally);
    }
    check(sum.ours.polls < 1.1 * sum.loop.polls, "row %zu: polls %.3f", i,
          sum.ours.polls / sum.loop.polls);
  }
}

/* All of them have had their first poll before any of the next begins: that
 * they end within it is known then, and little more. */
static void of_64_at_once_it_is_known_that_all_are_fast(void **state) {
  (void)state;
  for (unsigned k = 0; k < 2 * LIVES; k++) {
    double middle = expected_after(&sixty, 1 / 60.0, 64, k);
    check(middle < 8, "%u: %.2f", k, middle);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_first_burst_polls_as_the_loop),
      cmocka_unit_test(a_change_is_learned_from_64_side_by_side),
      cmocka_unit_test(of_64_at_once_it_is_known_that_all_are_fast),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
