/* Which creates of a job are repeated, when, and what is in doubt then. */
#include "one_flow.h"

static void what_never_left_is_repeated_max_attempts_times(void **state) {
  Flow flow = flow_in(FLOW_CREATING);
  (void)state;
  assert_rest(reply_with(&flow, not_sent, 0), 0.75, true);
  assert_do(flow_on_timer(&flow, 0.75), FLOW_DO_CREATE);
  assert_rest(reply_with(&flow, not_sent, 1), 2.5, true);
  assert_do(flow_on_timer(&flow, 2.5), FLOW_DO_CREATE);
  assert_end(&flow, reply_with(&flow, not_sent, 3), FLOW_END_FAILED);
  assert_int_equal(flow.attempts, 3);
  assert_false(flow.sent);
}

static void a_create_that_got_through_later_starts_afresh(void **state) {
  Flow flow = flow_in(FLOW_BACKING_OFF);
  (void)state;
  assert_do(flow_on_timer(&flow, 1), FLOW_DO_CREATE);
  assert_rest(reply_with(&flow, said(201, SAYS_WAITING), 1), 3, false);
}

static void a_create_ends_the_job_when_it_must_not_be_repeated(void **state) {
  static const int refused[] = {301, 307, 400, 401, 402, 404,
                                409, 410, 422, 501, 505};
  Flow flow = flow_in(FLOW_CREATING);
  (void)state;
  assert_end(&flow, reply_with(&flow, lost, 1), FLOW_END_LOST);
  assert_true(flow.sent);
  flow = flow_in(FLOW_CREATING);
  assert_end(&flow, reply_with(&flow, hopeless, 1), FLOW_END_FAILED);
  assert_false(flow.sent);
  assert_false(flow.doubt);
  for (size_t i = 0; i < COUNT(refused); i++) {
    flow = flow_in(FLOW_CREATING);
    assert_end(&flow, reply_with(&flow, answer(refused[i]), 1),
               FLOW_END_REFUSED);
    assert_int_equal(flow.attempts, 1);
    assert_true(flow.sent);
  }
}

/* A flow whose first create, under these settings, is on its way. */
static Flow creating(const FlowSettings *chosen) {
  Flow flow = new_flow(FLOW_GENERATE, chosen);
  assert_do(flow_start(&flow, 0), FLOW_DO_CREATE);
  return flow;
}

/* Gives the reply to every create until the flow ends; its attempts. */
static unsigned insist(Flow *flow, Reply reply, FlowEnd end) {
  FlowAction action = reply_with(flow, reply, 1);
  while (action.what == FLOW_DO_REST) {
    assert_true(action.retry);
    assert_do(flow_on_timer(flow, action.at), FLOW_DO_CREATE);
    action = reply_with(flow, reply, action.at);
  }
  assert_end(flow, action, end);
  return flow->attempts;
}

static void creates_are_repeated_as_the_mode_says(void **state) {
  static const FlowSettings *const modes[] = {&safe, &settings, &idempotent};
  static const struct {
    Reply reply;
    unsigned attempts[3];
    FlowEnd end;
    bool doubt;
  } rows[] = {
      {{.kind = REPLY_NOT_SENT, .retry_after = -1},
       {3, 3, 3},
       FLOW_END_FAILED,
       false},
      {{.status = 429, .retry_after = -1}, {3, 3, 3}, FLOW_END_REFUSED, false},
      {{.status = 408, .retry_after = -1}, {1, 3, 3}, FLOW_END_REFUSED, true},
      {{.status = 500, .retry_after = -1}, {1, 3, 3}, FLOW_END_REFUSED, true},
      {{.status = 502, .retry_after = -1}, {1, 3, 3}, FLOW_END_REFUSED, true},
      {{.status = 503, .retry_after = -1}, {1, 3, 3}, FLOW_END_REFUSED, true},
      {{.status = 504, .retry_after = -1}, {1, 3, 3}, FLOW_END_REFUSED, true},
      {{.kind = REPLY_LOST, .retry_after = -1}, {1, 1, 3}, FLOW_END_LOST, true},
      {{.status = 409, .retry_after = -1}, {1, 1, 1}, FLOW_END_REFUSED, true},
      {{.status = 402, .retry_after = -1}, {1, 1, 1}, FLOW_END_REFUSED, false},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    for (size_t k = 0; k < COUNT(modes); k++) {
      Flow flow = creating(modes[k]);
      unsigned attempts = insist(&flow, rows[i].reply, rows[i].end);
      check(attempts == rows[i].attempts[k], "row %zu, mode %zu: %u", i, k,
            attempts);
      check(flow.doubt == rows[i].doubt, "row %zu, mode %zu: doubt", i, k);
    }
}

/* The service is still at work on the create before: wait, same key. */
static void a_conflict_is_waited_out_under_a_repeated_key(void **state) {
  Flow flow = creating(&settings);
  (void)state;
  assert_rest(reply_with(&flow, answer(503), 0), 0.75, true);
  assert_do(flow_on_timer(&flow, 1), FLOW_DO_CREATE);
  assert_rest(reply_with(&flow, answer(409), 1), 2.5, true);
  assert_do(flow_on_timer(&flow, 3), FLOW_DO_CREATE);
  assert_do(reply_with(&flow, said(200, SAYS_WAITING), 3), FLOW_DO_REST);
  flow = creating(&settings); /* what never left repeats no key */
  assert_rest(reply_with(&flow, not_sent, 0), 0.75, true);
  assert_do(flow_on_timer(&flow, 1), FLOW_DO_CREATE);
  assert_end(&flow, reply_with(&flow, answer(409), 1), FLOW_END_REFUSED);
  quota = RETRY_QUOTA_FULL; /* a key that an earlier process sent */
  flow_init(&flow, FLOW_GENERATE, &safe, &quota, true, 100);
  assert_do(flow_start(&flow, 0), FLOW_DO_CREATE);
  assert_rest(reply_with(&flow, answer(409), 0), 0.75, true);
}

/* After a 503 nobody knows; a create that then never leaves changes nothing. */
static void a_doubt_outlives_later_attempts(void **state) {
  Flow flow = creating(&settings);
  (void)state;
  assert_do(reply_with(&flow, answer(503), 0), FLOW_DO_REST);
  assert_do(flow_on_timer(&flow, 1), FLOW_DO_CREATE);
  assert_do(reply_with(&flow, not_sent, 1), FLOW_DO_REST);
  assert_do(flow_on_timer(&flow, 3), FLOW_DO_CREATE);
  assert_end(&flow, reply_with(&flow, not_sent, 3), FLOW_END_LOST);
  assert_true(flow.doubt);
  assert_true(flow.sent);
  flow = creating(&settings);
  assert_do(reply_with(&flow, answer(503), 0), FLOW_DO_REST);
  assert_do(flow_on_timer(&flow, 1), FLOW_DO_CREATE);
  assert_end(&flow, reply_with(&flow, answer(402), 1), FLOW_END_REFUSED);
  assert_true(flow.doubt);
}

/* Where keys are honoured all of them make the same one. */
static void a_create_before_the_last_may_have_made_another_job(void **state) {
  static const RetryMode modes[] = {RETRY_DOCUMENTED, RETRY_IDEMPOTENT};
  (void)state;
  for (size_t i = 0; i < COUNT(modes); i++) {
    FlowSettings chosen = settings;
    Flow flow;
    chosen.retry = modes[i];
    flow = creating(&chosen);
    assert_do(reply_with(&flow, answer(429), 0), FLOW_DO_REST);
    assert_do(flow_on_timer(&flow, 1), FLOW_DO_CREATE);
    assert_false(flow.earlier_doubt);
    assert_do(reply_with(&flow, answer(503), 1), FLOW_DO_REST);
    assert_false(flow.earlier_doubt);
    assert_do(flow_on_timer(&flow, 4), FLOW_DO_CREATE);
    assert_do(reply_with(&flow, said(202, SAYS_WAITING), 4), FLOW_DO_REST);
    assert_int_equal(flow.earlier_doubt, modes[i] == RETRY_DOCUMENTED);
    assert_int_equal(flow.earlier_risk, modes[i] == RETRY_DOCUMENTED);
    flow = new_flow(FLOW_GENERATE, &chosen);
    flow.doubt = true; /* an earlier process sent it */
    assert_do(flow_start(&flow, 0), FLOW_DO_CREATE);
    assert_int_equal(flow.earlier_doubt, modes[i] == RETRY_DOCUMENTED);
    assert_false(flow.earlier_risk);
  }
}

static void the_wish_of_the_server_is_a_floor_for_creates(void **state) {
  static const struct {
    double wish, pause;
  } rows[] = {{-1, 0.75}, {0, 0.75},  {0.2, 0.75},
              {0.8, 0.8}, {7.5, 7.5}, {60, 60}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Flow flow = creating(&settings);
    assert_rest(reply_with(&flow, wish(429, rows[i].wish), 1),
                1 + rows[i].pause, true);
  }
}

static void patience_has_an_end(void **state) {
  static const double wishes[] = {60.1, 3600, 86400};
  Flow flow;
  (void)state;
  for (size_t i = 0; i < COUNT(wishes); i++) {
    flow = creating(&settings);
    assert_end(&flow, reply_with(&flow, wish(429, wishes[i]), 1),
               FLOW_END_REFUSED);
    assert_int_equal(flow.attempts, 1);
  }
  flow = creating(&settings); /* the wish ends past the deadline */
  assert_end(&flow, reply_with(&flow, wish(503, 50), 60), FLOW_END_REFUSED);
}

static void an_empty_quota_ends_the_retries_of_all(void **state) {
  Flow flow;
  (void)state;
  flow = creating(&settings);
  quota.tokens = 9;
  assert_do(reply_with(&flow, answer(503), 1), FLOW_DO_REST);
  assert_do(flow_on_timer(&flow, 2), FLOW_DO_CREATE);
  assert_end(&flow, reply_with(&flow, answer(503), 2), FLOW_END_REFUSED);
  flow = creating(&idempotent);
  quota.tokens = 9;
  assert_end(
      &flow,
      reply_with(
          &flow,
          (Reply){.kind = REPLY_LOST, .timed_out = true, .retry_after = -1}, 1),
      FLOW_END_LOST);
  flow = creating(&settings);
  quota.tokens = 9;
  assert_do(reply_with(&flow, said(200, SAYS_WAITING), 1), FLOW_DO_REST);
  assert_true(is_near(quota.tokens, 10));
}

static void the_beginning_of_an_answer_is_read(void **state) {
  Reply partial = {.kind = REPLY_LOST,
                   .status = 200,
                   .partial = true,
                   .named = true,
                   .retry_after = -1};
  Flow flow = creating(&safe);
  (void)state;
  assert_rest(reply_with(&flow, partial, 1), 3, false);
  assert_true(flow.doubt);
  flow = creating(&settings);
  assert_rest(reply_with(&flow, partial, 1), 3, false);
  flow = creating(&idempotent); /* here asking again is better */
  assert_do(reply_with(&flow, partial, 1), FLOW_DO_REST);
  assert_do(flow_on_timer(&flow, 3), FLOW_DO_CREATE);
  assert_do(reply_with(&flow, partial, 4), FLOW_DO_REST);
  assert_do(flow_on_timer(&flow, 7), FLOW_DO_CREATE);
  assert_rest(reply_with(&flow, partial, 8), 10, false); /* no attempt left */
  assert_int_equal(flow.state, FLOW_RESTING);
  flow = creating(&idempotent);
  assert_rest(reply_with(&flow, partial, 99.9), 100, false); /* nor time */
  flow = creating(&idempotent);
  assert_rest(reply_with(&flow, partial, 101), 100, false);
  assert_int_equal(flow.state, FLOW_RESTING);
  flow = creating(&settings); /* and where it has no id */
  partial.named = false;
  assert_end(&flow, reply_with(&flow, partial, 1), FLOW_END_UNUSABLE);
}

static void backing_off_fits_before_the_deadline_or_is_not_done(void **state) {
  Flow flow = flow_in(FLOW_CREATING);
  (void)state;
  assert_rest(reply_with(&flow, not_sent, 99.2), 99.95, true);
  assert_do(flow_on_timer(&flow, 99.95), FLOW_DO_CREATE);
  flow = flow_in(FLOW_CREATING);
  assert_end(&flow, reply_with(&flow, not_sent, 99.3), FLOW_END_FAILED);
  flow = flow_in(FLOW_CREATING);
  assert_end(&flow, reply_with(&flow, not_sent, 100), FLOW_END_TIMEOUT);
  flow = flow_in(FLOW_BACKING_OFF);
  assert_end(&flow, flow_on_timer(&flow, 100), FLOW_END_TIMEOUT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_never_left_is_repeated_max_attempts_times),
      cmocka_unit_test(a_create_that_got_through_later_starts_afresh),
      cmocka_unit_test(a_create_ends_the_job_when_it_must_not_be_repeated),
      cmocka_unit_test(creates_are_repeated_as_the_mode_says),
      cmocka_unit_test(a_conflict_is_waited_out_under_a_repeated_key),
      cmocka_unit_test(a_doubt_outlives_later_attempts),
      cmocka_unit_test(a_create_before_the_last_may_have_made_another_job),
      cmocka_unit_test(the_wish_of_the_server_is_a_floor_for_creates),
      cmocka_unit_test(patience_has_an_end),
      cmocka_unit_test(an_empty_quota_ends_the_retries_of_all),
      cmocka_unit_test(the_beginning_of_an_answer_is_read),
      cmocka_unit_test(backing_off_fits_before_the_deadline_or_is_not_done),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
