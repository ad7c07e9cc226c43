/* The rules of patience: every row of the tables, every bound. */
#include "check.h"

#include "engine/rules/policy.h"

#include <limits.h>
#include <math.h>

#define ALMOST_ONE 0.999999999

static bool is_near(double a, double b) {
  return fabs(a - b) < 1e-6;
}

/* The table of the design, row by row: may a create be sent again after this,
 * in the modes safe, documented and idempotent?  A key sent before or not. */
static void creates_are_repeated_as_the_table_says(void **state) {
  static const struct {
    OutcomeKind kind;
    int status;
    bool fresh[3], repeated[3];
  } rows[] = {
      {OUTCOME_NOT_SENT, 0, {true, true, true}, {true, true, true}},
      {OUTCOME_HOPELESS, 0, {false, false, false}, {false, false, false}},
      {OUTCOME_LOST, 0, {false, false, true}, {false, false, true}},
      {OUTCOME_LOST, 200, {false, false, true}, {false, false, true}},
      {OUTCOME_LOST, 429, {false, false, true}, {false, false, true}},
      {OUTCOME_ANSWERED, 429, {true, true, true}, {true, true, true}},
      {OUTCOME_ANSWERED, 408, {false, true, true}, {false, true, true}},
      {OUTCOME_ANSWERED, 500, {false, true, true}, {false, true, true}},
      {OUTCOME_ANSWERED, 502, {false, true, true}, {false, true, true}},
      {OUTCOME_ANSWERED, 503, {false, true, true}, {false, true, true}},
      {OUTCOME_ANSWERED, 504, {false, true, true}, {false, true, true}},
      {OUTCOME_ANSWERED, 409, {false, false, false}, {true, true, true}},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    for (int mode = RETRY_SAFE; mode <= RETRY_IDEMPOTENT; mode++) {
      HttpOutcome reply = {.kind = rows[i].kind, .status = rows[i].status};
      check(policy_may_repeat(&reply, (RetryMode)mode, false) ==
                rows[i].fresh[mode],
            "row %zu, mode %d, a fresh key", i, mode);
      check(policy_may_repeat(&reply, (RetryMode)mode, true) ==
                rows[i].repeated[mode],
            "row %zu, mode %d, a repeated key", i, mode);
    }
}

static bool is_in_the_table(int status) {
  return status == 408 || status == 409 || status == 429 || status == 500 ||
         (status >= 502 && status <= 504);
}

static void no_other_answer_is_repeated(void **state) {
  (void)state;
  for (int status = 100; status < 600; status++)
    for (int mode = RETRY_SAFE; mode <= RETRY_IDEMPOTENT; mode++) {
      HttpOutcome reply = {.kind = OUTCOME_ANSWERED, .status = status};
      check(is_in_the_table(status) ||
                !policy_may_repeat(&reply, (RetryMode)mode, true),
            "status %d, mode %d", status, mode);
    }
}

static void a_create_is_accepted_refused_failed_or_lost(void **state) {
  static const struct {
    OutcomeKind kind;
    CreateOutcome outcome;
  } rows[] = {{OUTCOME_NOT_SENT, CREATE_FAILED},
              {OUTCOME_HOPELESS, CREATE_FAILED},
              {OUTCOME_LOST, CREATE_LOST}};
  (void)state;
  for (int status = 100; status < 600; status++) {
    HttpOutcome reply = {
        .kind = OUTCOME_ANSWERED, .status = status, .retry_after = 1};
    CreateOutcome outcome =
        status >= 200 && status <= 299 ? CREATE_ACCEPTED : CREATE_REFUSED;
    check(policy_create_outcome(&reply) == outcome, "status %d", status);
  }
  for (size_t i = 0; i < COUNT(rows); i++) {
    HttpOutcome reply = {
        .kind = rows[i].kind, .status = 200, .retry_after = -1};
    check(policy_create_outcome(&reply) == rows[i].outcome, "row %zu", i);
  }
}

/* What may have made a job may have been charged; a plain no has not. */
static void doubt_is_left_by_what_may_have_made_a_job(void **state) {
  static const HttpOutcome lost = {.kind = OUTCOME_LOST};
  static const HttpOutcome not_sent = {.kind = OUTCOME_NOT_SENT, .status = 200};
  static const HttpOutcome hopeless = {.kind = OUTCOME_HOPELESS, .status = 200};
  (void)state;
  assert_true(policy_maybe_charged(&lost));
  assert_false(policy_maybe_charged(&not_sent));
  assert_false(policy_maybe_charged(&hopeless));
  for (int status = 100; status < 600; status++) {
    HttpOutcome reply = {.kind = OUTCOME_ANSWERED, .status = status};
    bool doubt =
        status < 400 || status == 408 || status == 409 || status >= 500;
    check(policy_maybe_charged(&reply) == doubt, "status %d", status);
  }
}

static void the_quota_stops_a_storm(void **state) {
  RetryQuota quota = RETRY_QUOTA_FULL;
  unsigned retries = 0;
  (void)state;
  while (policy_take_retry(&quota, false))
    retries++;
  assert_int_equal(retries, 100);
  assert_false(policy_take_retry(&quota, true));
  quota = RETRY_QUOTA_FULL;
  for (retries = 0; policy_take_retry(&quota, true);)
    retries++;
  assert_int_equal(retries, 50); /* timeouts cost twice as much */
}

static void successes_fill_the_quota_again_but_not_over(void **state) {
  RetryQuota quota = {.tokens = 0};
  (void)state;
  for (unsigned i = 0; i < 4; i++)
    policy_return_retry(&quota);
  assert_false(policy_take_retry(&quota, false));
  policy_return_retry(&quota);
  assert_true(policy_take_retry(&quota, false));
  assert_false(policy_take_retry(&quota, false));
  for (unsigned i = 0; i < 9; i++)
    policy_return_retry(&quota);
  assert_false(policy_take_retry(&quota, true));
  policy_return_retry(&quota);
  assert_true(policy_take_retry(&quota, true));
  quota = RETRY_QUOTA_FULL;
  policy_return_retry(&quota);
  assert_true(is_near(quota.tokens, 500));
}

static PollDecision expected_poll(int status, unsigned missing) {
  if (status == 202)
    return POLL_WAIT;
  if (status / 100 == 2) /* it says nothing, and of that the job hears */
    return POLL_READ;
  if (status == 401 || status == 403 || status == 410)
    return POLL_REFUSED;
  return status == 404 && missing >= 3 ? POLL_REFUSED : POLL_RETRY;
}

static void only_a_few_answers_end_a_paid_job(void **state) {
  (void)state;
  for (unsigned missing = 0; missing < 5; missing++)
    for (int status = 100; status < 600; status++) {
      HttpOutcome reply = {.kind = OUTCOME_ANSWERED, .status = status};
      check(policy_on_poll(&reply, missing) == expected_poll(status, missing),
            "status %d, missing %u", status, missing);
    }
}

static void trouble_on_the_way_never_ends_a_paid_job(void **state) {
  static const OutcomeKind kinds[] = {OUTCOME_NOT_SENT, OUTCOME_LOST,
                                      OUTCOME_HOPELESS};
  static const int statuses[] = {0, 200, 202, 401, 404};
  (void)state;
  for (size_t i = 0; i < COUNT(kinds); i++)
    for (size_t k = 0; k < COUNT(statuses); k++) {
      HttpOutcome reply = {.kind = kinds[i], .status = statuses[k]};
      check(policy_on_poll(&reply, 9) == POLL_RETRY, "kind %zu", i);
    }
}

static void backoff_doubles_up_to_twenty_seconds(void **state) {
  static const double whole[] = {1, 1, 2, 4, 8, 16, 20, 20, 20, 20};
  (void)state;
  for (unsigned n = 0; n < COUNT(whole); n++) {
    check(is_near(policy_backoff(n, 0), whole[n] / 2), "failure %u: low", n);
    check(is_near(policy_backoff(n, 0.5), whole[n] * 0.75), "failure %u", n);
    check(is_near(policy_backoff(n, ALMOST_ONE), whole[n]), "failure %u: high",
          n);
    check(policy_backoff(n, 0.999) < whole[n], "failure %u: not below", n);
  }
  assert_true(is_near(policy_backoff(UINT_MAX, 0), 10));
}

/* With the random number 0.5 there is no jitter. */
static void polls_are_steady_for_thirty_seconds_then_slow_down(void **state) {
  static const PollSettings settings = {2.0, 2.5, 5.0, 1, NULL};
  static const double later[] = {3.125, 3.90625, 4.8828125, 5, 5, 5};
  float previous = 0;
  (void)state;
  assert_true(is_near(policy_poll_pause(&settings, 0, &previous, 0.5), 2.0));
  for (int i = 0; i < 12; i++)
    assert_true(is_near(
        policy_poll_pause(&settings, 2 + 2.5 * i, &previous, 0.5), 2.5));
  assert_true(is_near(policy_poll_pause(&settings, 30, &previous, 0.5), 2.5));
  for (size_t i = 0; i < COUNT(later); i++)
    check(is_near(policy_poll_pause(&settings, 30.1, &previous, 0.5), later[i]),
          "pause %zu", i);
}

/* As all times that the settings' unit measures. */
static void the_steady_time_is_thirty_units(void **state) {
  static const PollSettings settings = {0.2, 0.25, 0.6, 0.1, NULL};
  float previous = 0.25f;
  (void)state;
  assert_true(is_near(policy_poll_pause(&settings, 2.9, &previous, 0.5), 0.25));
  assert_true(
      is_near(policy_poll_pause(&settings, 3.1, &previous, 0.5), 0.3125));
}

static void jitter_is_fifteen_percent_and_does_not_add_up(void **state) {
  static const PollSettings settings = {2.0, 2.5, 5.0, 1, NULL};
  static const double randoms[] = {0, 0.25, 0.5, 0.75, ALMOST_ONE};
  static const double factors[] = {0.85, 0.925, 1, 1.075, 1.15};
  (void)state;
  for (size_t i = 0; i < COUNT(randoms); i++) {
    float previous = 0;
    double first = policy_poll_pause(&settings, 0, &previous, randoms[i]);
    double second = policy_poll_pause(&settings, 2, &previous, randoms[i]);
    double late = policy_poll_pause(&settings, 31, &previous, randoms[i]);
    check(is_near(first, 2.0 * factors[i]), "first, row %zu", i);
    check(is_near(second, 2.5 * factors[i]), "second, row %zu", i);
    check(is_near(late, 3.125 * factors[i]), "late, row %zu", i);
  }
}

static void odd_poll_settings_stay_within_reason(void **state) {
  static const struct {
    PollSettings settings;
    double age;
    double pauses[4];
  } rows[] = {
      {{9, 2.5, 5, 1, NULL}, 0, {9, 2.5, 2.5, 2.5}}, /* a late first poll */
      {{0.5, 2.5, 5, 1, NULL}, 99, {0.5, 2.5, 3.125, 3.90625}},
      {{9, 2.5, 5, 1, NULL}, 99, {9, 5, 5, 5}},
      {{0, 2.5, 5, 1, NULL}, 0, {0, 2.5, 2.5, 2.5}}, /* a first poll at once */
      {{2, 3, 3, 1, NULL}, 99, {2, 3, 3, 3}},        /* no growth */
      {{0.1, 0.1, 0.1, 1, NULL}, 0, {0.1, 0.1, 0.1, 0.1}},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    float previous = 0;
    for (size_t k = 0; k < 4; k++) {
      double pause =
          policy_poll_pause(&rows[i].settings, rows[i].age, &previous, 0.5);
      check(is_near(pause, rows[i].pauses[k]), "row %zu, pause %zu: %f", i, k,
            pause);
    }
  }
}

/* By the plan of its class and of no other, in the settings' unit; without one
 * as ever. */
static void a_plan_takes_the_place_of_the_schedule(void **state) {
  static const PollPlan none = {.count = 0};
  static const PollPlan plan = {
      .count = 2, .times = {8, 9}, .after = 5, .end = 20};
  static const PollPlan *const plans[] = {NULL, &plan, &none};
  static const PollSettings settings = {2.0, 2.5, 5.0, 0.5, plans};
  static const PollSettings off = {2.0, 2.5, 5.0, 0.5, NULL};
  float previous = 0;
  (void)state;
  assert_true(
      is_near(policy_planned_pause(&settings, 1, 0, 0, &previous, 0.5), 4));
  assert_true(is_near((double)previous, 4));
  assert_true(
      is_near(policy_planned_pause(&settings, 1, 4, 1, &previous, 0.5), 0.5));
  assert_true(
      is_near(policy_planned_pause(&settings, 1, 99, 2, &previous, 0.5), 2.5));
  for (unsigned class = 0; class < COUNT(plans); class ++) {
    previous = 0;
    if (class != 1)
      assert_true(is_near(
          policy_planned_pause(&settings, class, 0, 0, &previous, 0.5), 2));
    previous = 0;
    assert_true(
        is_near(policy_planned_pause(&off, class, 0, 0, &previous, 0.5), 2));
  }
}

static void a_wish_of_the_server_is_kept_within_bounds(void **state) {
  static const struct {
    double wish, obeyed;
  } rows[] = {{0, 0.5}, {0.49, 0.5}, {0.5, 0.5}, {7, 7},
              {30, 30}, {30.1, 30},  {86400, 30}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    check(is_near(policy_clamp_retry_after(rows[i].wish), rows[i].obeyed),
          "wish %f", rows[i].wish);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(creates_are_repeated_as_the_table_says),
      cmocka_unit_test(no_other_answer_is_repeated),
      cmocka_unit_test(a_create_is_accepted_refused_failed_or_lost),
      cmocka_unit_test(doubt_is_left_by_what_may_have_made_a_job),
      cmocka_unit_test(the_quota_stops_a_storm),
      cmocka_unit_test(successes_fill_the_quota_again_but_not_over),
      cmocka_unit_test(only_a_few_answers_end_a_paid_job),
      cmocka_unit_test(trouble_on_the_way_never_ends_a_paid_job),
      cmocka_unit_test(backoff_doubles_up_to_twenty_seconds),
      cmocka_unit_test(polls_are_steady_for_thirty_seconds_then_slow_down),
      cmocka_unit_test(the_steady_time_is_thirty_units),
      cmocka_unit_test(jitter_is_fifteen_percent_and_does_not_add_up),
      cmocka_unit_test(odd_poll_settings_stay_within_reason),
      cmocka_unit_test(a_plan_takes_the_place_of_the_schedule),
      cmocka_unit_test(a_wish_of_the_server_is_kept_within_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
