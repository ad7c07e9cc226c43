/* Quick and long jobs of one class, as of a service that has some of them at
 * hand: the quick ones are no change of it, and what is said of the time that
 * is left is never far from what was seen. */
#include "check.h"

#include "crowd.h"

static Crowd crowd;

static const World sixty = {"60 s, 0.02", {{1, 60, 0.02}, NO_MORE}};

#define LONGEST 66.0 /* of that world, about: and the looks at it */

/* Which of them begin first. */
typedef enum Order { LONG_FIRST, QUICK_FIRST, IN_TURN } Order;

/* So many that were known before, quick and long ones side by side. */
typedef struct Mix {
  unsigned before, side, quick, longs;
  double length; /* of the quick ones */
  Order order;
} Mix;

static const Mix mixes[] = {
    {40, 10, 6, 6, 0.5, LONG_FIRST},  {40, 10, 6, 6, 0.5, QUICK_FIRST},
    {40, 10, 6, 6, 0.5, IN_TURN},     {60, 60, 6, 6, 0.5, LONG_FIRST},
    {40, 10, 2, 2, 0.5, LONG_FIRST},  {40, 10, 10, 6, 2, IN_TURN},
    {100, 4, 20, 10, 0.5, IN_TURN},   {100, 4, 8, 20, 6, QUICK_FIRST},
    {40, 10, 12, 6, 0.5, LONG_FIRST},
};

static void begin_long(void) {
  crowd_begin(&crowd, world_draw(&sixty, &crowd.client.seed));
}

static void begin_mixed(const Mix *mix) {
  for (unsigned i = 0, quick = 0; i < mix->quick + mix->longs; i++) {
    bool is_quick = mix->order == QUICK_FIRST  ? i < mix->quick
                    : mix->order == LONG_FIRST ? i >= mix->longs
                                               : i % 2 == 0;
    if (quick == mix->quick || i - quick == mix->longs)
      is_quick = quick < mix->quick;
    quick += is_quick;
    if (is_quick)
      crowd_begin(&crowd, mix->length);
    else
      begin_long();
  }
}

static void learn_and_begin(const Mix *mix, unsigned history) {
  crowd_start(&crowd, history);
  if (mix->before > 0)
    crowd_run(&crowd, &sixty, 1, mix->side, mix->before);
  crowd.client.now += 5;
  begin_mixed(mix);
}

static double left(double age, double chance) {
  return outlook_left(&crowd.client.outlook, age, chance);
}

/* The oldest of those that run. */
static double oldest(void) {
  double age = 0;
  for (unsigned i = 0; i < crowd.count; i++)
    age = fmax(age, crowd.client.now - crowd.jobs[i].began);
  return age;
}

/* Nothing is said of one that is older than what was seen; else that it ends
 * with the long ones. */
static void quick_ones_leave_the_eta_of_the_long_ones(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(mixes); i++)
    for (unsigned k = 0; k < 4; k++) {
      learn_and_begin(&mixes[i], k);
      while (crowd.count > 0) {
        double age = oldest(), eta = left(age, 0.5);
        if (age > 15 && age < 50)
          check(age + eta > 50 && age + eta < 70, "mix %zu, %u: at %.1f %.1f",
                i, k, age, eta);
        if (age > LONGEST)
          check(isnan(eta) || age + eta < 1.25 * LONGEST,
                "mix %zu, %u: at %.1f %.1f", i, k, age, eta);
        crowd_poll(&crowd);
      }
    }
}

/* From when a long one is older than the quick ones ever were. */
static void a_mixture_is_expected_to_be_one(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(mixes); i++)
    for (unsigned k = 0; k < 4; k++) {
      learn_and_begin(&mixes[i], k);
      while (crowd.count > 0) {
        double p90 = left(0, 0.1);
        if (oldest() > 17)
          check(p90 > 55 && p90 < 1.2 * LONGEST, "mix %zu, %u: at %.1f %.1f", i,
                k, oldest(), p90);
        crowd_poll(&crowd);
      }
      for (unsigned more = 0; more < 6; more++) {
        crowd.client.now += 2;
        for (int n = 0; n < 4; n++)
          begin_long();
        while (crowd.count > 0)
          crowd_poll(&crowd);
        crowd.client.now += 1;
        poll_book_update(&crowd.client.book, CLASS, (Duration){0});
        crowd_plan(&crowd);
        check(left(0, 0.5) > 50 && left(0, 0.1) < 1.2 * LONGEST,
              "mix %zu, %u, %u more: %.1f, %.1f", i, k, 4 * more + 4,
              left(0, 0.5), left(0, 0.1));
      }
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quick_ones_leave_the_eta_of_the_long_ones),
      cmocka_unit_test(a_mixture_is_expected_to_be_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
