/* The life of one job, step by step: every transition of the state machine. */
#include "check.h"

#include "engine/rules/flow.h"

#include <math.h>

static const FlowSettings safe = {
    .retry = RETRY_SAFE, .max_attempts = 3, .poll = {2.0, 2.5, 5.0}};
static const FlowSettings settings = {
    .retry = RETRY_DOCUMENTED, .max_attempts = 3, .poll = {2.0, 2.5, 5.0}};
static const FlowSettings idempotent = {
    .retry = RETRY_IDEMPOTENT, .max_attempts = 3, .poll = {2.0, 2.5, 5.0}};

static RetryQuota quota;

static const Reply lost = {.kind = REPLY_LOST, .retry_after = -1};
static const Reply not_sent = {.kind = REPLY_NOT_SENT, .retry_after = -1};
static const Reply held = {.kind = REPLY_HELD, .retry_after = -1};
static const Reply hopeless = {.kind = REPLY_HOPELESS, .retry_after = -1};

static Reply answer(int status) {
  return (Reply){.kind = REPLY_ANSWERED, .status = status, .retry_after = -1};
}

/* With a body that says so, and has an id. */
static Reply said(int status, ReplySays says) {
  Reply reply = answer(status);
  reply.says = says;
  reply.named = true;
  return reply;
}

static Reply wish(int status, double retry_after) {
  Reply reply = answer(status);
  reply.retry_after = retry_after;
  return reply;
}

/* A flow in FLOW_QUEUED with a fresh key and the deadline 100. */
static Flow new_flow(FlowMode mode, const FlowSettings *chosen) {
  Flow flow;
  quota = RETRY_QUOTA_FULL;
  flow_init(&flow, mode, chosen, &quota, false, 100);
  return flow;
}

static bool is_near(double a, double b) {
  return fabs(a - b) < 1e-6;
}

/* With the random number 0.5 polls have no jitter, backoffs are 3/4 d. */
static FlowAction reply_with(Flow *flow, Reply reply, double now) {
  return flow_on_reply(flow, &reply, now, 0.5);
}

static void assert_do(FlowAction action, FlowDo what) {
  assert_int_equal(action.what, what);
}

static void assert_end(const Flow *flow, FlowAction action, FlowEnd end) {
  assert_int_equal(action.what, FLOW_DO_END);
  assert_int_equal(action.end, end);
  assert_int_equal(flow->state, FLOW_ENDED);
}

static void assert_rest(FlowAction action, double at, bool retry) {
  assert_int_equal(action.what, FLOW_DO_REST);
  check(is_near(action.at, at), "rests until %f, not %f", action.at, at);
  assert_int_equal(action.retry, retry);
}

/* A flow of mode GENERATE, without references, in one of its states, at time
 * 0 and with the deadline 100. */
static Flow flow_in(FlowState wanted) {
  Flow flow = new_flow(FLOW_GENERATE, &settings);
  flow.check = wanted == FLOW_CHECKING;
  if (wanted == FLOW_QUEUED)
    return flow;
  flow_start(&flow, 0);
  if (wanted == FLOW_HELD)
    reply_with(&flow, held, 0);
  if (wanted == FLOW_BACKING_OFF)
    reply_with(&flow, not_sent, 0);
  if (wanted == FLOW_ENDED)
    reply_with(&flow, lost, 0);
  if (wanted == FLOW_RESTING || wanted == FLOW_POLLING)
    reply_with(&flow, said(200, SAYS_WAITING), 0);
  if (wanted == FLOW_POLLING)
    flow_on_timer(&flow, 2);
  assert_int_equal(flow.state, wanted);
  return flow;
}

static void a_job_is_created_polled_and_ended(void **state) {
  Flow flow = new_flow(FLOW_GENERATE, &settings);
  (void)state;
  assert_int_equal(flow.state, FLOW_QUEUED);
  assert_do(flow_start(&flow, 10), FLOW_DO_CREATE);
  assert_int_equal(flow.attempts, 1);
  assert_false(flow.sent);
  assert_rest(reply_with(&flow, said(200, SAYS_WAITING), 11.5), 13.5, false);
  assert_true(flow.sent);
  assert_do(flow_on_timer(&flow, 13.5), FLOW_DO_POLL);
  assert_rest(reply_with(&flow, answer(202), 14), 16.5, false);
  assert_do(flow_on_timer(&flow, 16.5), FLOW_DO_POLL);
  assert_int_equal(flow.polls, 2);
  assert_rest(reply_with(&flow, said(200, SAYS_NOTHING), 17), 19.5, true);
  assert_do(flow_on_timer(&flow, 19.5), FLOW_DO_POLL);
  assert_end(&flow, reply_with(&flow, said(200, SAYS_SUCCEEDED), 20),
             FLOW_END_SUCCEEDED);
  assert_int_equal(flow.attempts, 1);
}

/* What the answer to a create says, in each mode. */
static void the_answer_to_a_create_decides(void **state) {
  static const struct {
    ReplySays says;
    bool named;
    FlowMode mode;
    FlowDo what;
    FlowEnd end;
  } rows[] = {
      {SAYS_SUCCEEDED, true, FLOW_GENERATE, FLOW_DO_END, FLOW_END_SUCCEEDED},
      {SAYS_FAILED, true, FLOW_GENERATE, FLOW_DO_END, FLOW_END_FAILURE},
      {SAYS_WAITING, true, FLOW_GENERATE, FLOW_DO_REST, 0},
      {SAYS_NOTHING, true, FLOW_GENERATE, FLOW_DO_REST, 0},
      {SAYS_STRANGE, true, FLOW_GENERATE, FLOW_DO_REST, 0},
      {SAYS_EMPTY, true, FLOW_GENERATE, FLOW_DO_REST, 0},
      {SAYS_WAITING, true, FLOW_CREATE_ONLY, FLOW_DO_END, FLOW_END_ACCEPTED},
      {SAYS_SUCCEEDED, true, FLOW_CREATE_ONLY, FLOW_DO_END, FLOW_END_SUCCEEDED},
      {SAYS_FAILED, true, FLOW_CREATE_ONLY, FLOW_DO_END, FLOW_END_FAILURE},
      {SAYS_SUCCEEDED, false, FLOW_GENERATE, FLOW_DO_END, FLOW_END_UNUSABLE},
      {SAYS_NOTHING, false, FLOW_GENERATE, FLOW_DO_END, FLOW_END_UNUSABLE},
      {SAYS_WAITING, false, FLOW_CREATE_ONLY, FLOW_DO_END, FLOW_END_UNUSABLE}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Flow flow = new_flow(rows[i].mode, &settings);
    Reply reply = said(200, rows[i].says);
    FlowAction action;
    reply.named = rows[i].named;
    flow_start(&flow, 0);
    action = reply_with(&flow, reply, 1);
    check(action.what == rows[i].what, "row %zu", i);
    check(action.what != FLOW_DO_END || action.end == rows[i].end, "row %zu",
          i);
    check(!action.retry && flow.created == 1, "row %zu", i);
    assert_int_equal(flow.polls, 0);
  }
}

/* What the answer to a poll says, whatever 2xx it came with. */
static void the_answer_to_a_poll_decides(void **state) {
  static const struct {
    int status;
    ReplySays says;
    FlowDo what;
    FlowEnd end;
    bool retry;
  } rows[] = {{200, SAYS_SUCCEEDED, FLOW_DO_END, FLOW_END_SUCCEEDED, false},
              {202, SAYS_SUCCEEDED, FLOW_DO_END, FLOW_END_SUCCEEDED, false},
              {206, SAYS_FAILED, FLOW_DO_END, FLOW_END_FAILURE, false},
              {200, SAYS_WAITING, FLOW_DO_REST, 0, false},
              {203, SAYS_WAITING, FLOW_DO_REST, 0, false},
              {200, SAYS_STRANGE, FLOW_DO_REST, 0, false},
              {202, SAYS_STRANGE, FLOW_DO_REST, 0, false},
              {202, SAYS_NOTHING, FLOW_DO_REST, 0, false},
              {200, SAYS_NOTHING, FLOW_DO_REST, 0, true},
              {201, SAYS_NOTHING, FLOW_DO_REST, 0, true},
              {200, SAYS_TROUBLE, FLOW_DO_REST, 0, true},
              {200, SAYS_EMPTY, FLOW_DO_REST, 0, true}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Flow flow = flow_in(FLOW_POLLING);
    FlowAction action =
        reply_with(&flow, said(rows[i].status, rows[i].says), 3);
    check(action.what == rows[i].what, "row %zu", i);
    check(action.what != FLOW_DO_END || action.end == rows[i].end, "row %zu",
          i);
    check(action.retry == rows[i].retry, "row %zu", i);
  }
}

/* Three in a row that cannot be used; another answer in between begins anew. */
static void only_three_oddities_in_a_row_end_the_job(void **state) {
  static const struct {
    ReplySays says;
    FlowEnd end;
  } rows[] = {{SAYS_TROUBLE, FLOW_END_FAILURE},
              {SAYS_EMPTY, FLOW_END_UNUSABLE}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Flow flow = flow_in(FLOW_POLLING);
    for (int k = 0; k < 2; k++) {
      assert_do(reply_with(&flow, said(200, rows[i].says), 3), FLOW_DO_REST);
      assert_do(flow_on_timer(&flow, 3), FLOW_DO_POLL);
    }
    assert_do(reply_with(&flow, said(202, SAYS_WAITING), 3), FLOW_DO_REST);
    for (int k = 0; k < 2; k++) {
      assert_do(flow_on_timer(&flow, 3), FLOW_DO_POLL);
      assert_do(reply_with(&flow, said(200, rows[i].says), 3), FLOW_DO_REST);
    }
    assert_do(flow_on_timer(&flow, 3), FLOW_DO_POLL);
    assert_do(reply_with(&flow, answer(503), 3), FLOW_DO_REST);
    assert_do(flow_on_timer(&flow, 3), FLOW_DO_POLL);
    assert_end(&flow, reply_with(&flow, said(200, rows[i].says), 3),
               rows[i].end);
  }
}

static void references_are_checked_before_the_create(void **state) {
  Flow flow = new_flow(FLOW_GENERATE, &settings);
  (void)state;
  flow.check = true;
  assert_do(flow_start(&flow, 0), FLOW_DO_CHECK);
  assert_int_equal(flow.attempts, 0);
  assert_do(flow_on_checked(&flow, true, 1), FLOW_DO_CREATE);
  flow = flow_in(FLOW_CHECKING);
  assert_end(&flow, flow_on_checked(&flow, false, 1), FLOW_END_REFERENCE);
  assert_int_equal(flow.attempts, 0);
  assert_false(flow.sent);
  flow = flow_in(FLOW_CHECKING);
  assert_end(&flow, flow_on_checked(&flow, true, 100), FLOW_END_TIMEOUT);
  assert_int_equal(flow.attempts, 0);
  flow = flow_in(FLOW_CHECKING);
  assert_do(flow_on_timer(&flow, 99), FLOW_DO_NOTHING);
  assert_end(&flow, flow_on_timer(&flow, 100), FLOW_END_TIMEOUT);
}

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

static void trouble_between_polls_is_waited_out(void **state) {
  static const int statuses[] = {301, 307, 400, 404, 408, 409, 418, 422,
                                 425, 429, 500, 502, 503, 504, 599};
  (void)state;
  for (size_t i = 0; i < COUNT(statuses); i++) {
    Flow flow = flow_in(FLOW_POLLING);
    assert_rest(reply_with(&flow, answer(statuses[i]), 3), 5.5, true);
    assert_do(flow_on_timer(&flow, 5.5), FLOW_DO_POLL);
  }
  for (unsigned i = 0; i < 3; i++) {
    static const Reply *const replies[] = {&lost, &not_sent, &hopeless};
    Flow flow = flow_in(FLOW_POLLING);
    assert_rest(reply_with(&flow, *replies[i], 3), 5.5, true);
  }
}

static void the_pause_after_much_trouble_is_the_backoff(void **state) {
  static const double pauses[] = {2.5, 2.5, 3, 6, 12, 15, 15};
  Flow flow = flow_in(FLOW_POLLING);
  double now = 3;
  (void)state;
  flow.deadline = 1e6;
  for (size_t i = 0; i < COUNT(pauses); i++) {
    assert_rest(reply_with(&flow, answer(503), now), now + pauses[i], true);
    assert_do(flow_on_timer(&flow, now), FLOW_DO_POLL);
  }
  assert_rest(reply_with(&flow, answer(202), now), now + 2.5, false);
  assert_do(flow_on_timer(&flow, now), FLOW_DO_POLL);
  assert_rest(reply_with(&flow, answer(503), now), now + 2.5, true);
}

static void a_readable_answer_ends_the_trouble(void **state) {
  Flow flow = flow_in(FLOW_POLLING);
  (void)state;
  assert_rest(reply_with(&flow, answer(503), 3), 5.5, true);
  flow_on_timer(&flow, 5.5);
  assert_rest(reply_with(&flow, said(200, SAYS_WAITING), 6), 8.5, false);
}

static void some_answers_to_a_poll_end_the_job(void **state) {
  static const int refused[] = {401, 403, 410};
  Flow flow;
  (void)state;
  for (size_t i = 0; i < COUNT(refused); i++) {
    flow = flow_in(FLOW_POLLING);
    assert_end(&flow, reply_with(&flow, answer(refused[i]), 3),
               FLOW_END_REFUSED);
  }
}

static void only_three_404_in_a_row_end_the_job(void **state) {
  static const int statuses[] = {404, 404, 202, 404, 404, 500, 404, 404, 404};
  Flow flow = flow_in(FLOW_POLLING);
  (void)state;
  for (size_t i = 0; i < COUNT(statuses) - 1; i++) {
    assert_do(reply_with(&flow, answer(statuses[i]), 3), FLOW_DO_REST);
    assert_do(flow_on_timer(&flow, 3), FLOW_DO_POLL);
  }
  assert_end(&flow, reply_with(&flow, answer(404), 3), FLOW_END_REFUSED);
}

static void a_wish_of_the_server_replaces_the_schedule(void **state) {
  static const struct {
    int status;
    double wish, pause;
  } rows[] = {
      {202, 0, 0.5}, {202, 1, 1},   {202, 7, 7}, {202, 600, 30},
      {503, 0, 2.5}, {503, 1, 2.5}, {503, 7, 7}, {429, 600, 30},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Flow flow = flow_in(FLOW_POLLING);
    Reply reply = answer(rows[i].status);
    reply.retry_after = rows[i].wish;
    assert_rest(reply_with(&flow, reply, 3), 3 + rows[i].pause,
                rows[i].status != 202);
  }
}

/* Of the create's own answer, and of a poll that only looked final. */
static void a_wish_with_an_answer_is_heard(void **state) {
  static const struct {
    double wish, pause, pause_after_poll;
  } rows[] = {{-1, 2, 2.5}, {0, 0.5, 0.5}, {7, 7, 7}, {600, 30, 30}};
  static const ReplySays says[] = {SAYS_WAITING, SAYS_NOTHING, SAYS_STRANGE};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    for (size_t k = 0; k < COUNT(says); k++) {
      Flow flow = flow_in(FLOW_CREATING);
      Reply reply = said(202, says[k]);
      reply.retry_after = rows[i].wish;
      assert_rest(reply_with(&flow, reply, 3), 3 + rows[i].pause, false);
      assert_do(flow_on_timer(&flow, 50), FLOW_DO_POLL);
      reply.status = 200;
      assert_rest(reply_with(&flow, reply, 51), 51 + rows[i].pause_after_poll,
                  says[k] == SAYS_NOTHING);
      assert_do(flow_on_timer(&flow, 90), FLOW_DO_POLL);
      assert_true(reply_with(&flow, said(200, SAYS_WAITING), 90).at < 94);
    }
}

static void rests_end_at_the_deadline(void **state) {
  static const int statuses[] = {202, 503};
  Flow flow;
  (void)state;
  for (size_t i = 0; i < COUNT(statuses); i++) {
    flow = flow_in(FLOW_POLLING);
    assert_rest(reply_with(&flow, answer(statuses[i]), 99), 100, i == 1);
    assert_end(&flow, flow_on_timer(&flow, 100), FLOW_END_TIMEOUT);
    flow = flow_in(FLOW_POLLING); /* the reply itself came late */
    assert_rest(reply_with(&flow, answer(statuses[i]), 101), 100, i == 1);
  }
  flow = flow_in(FLOW_CREATING);
  assert_rest(reply_with(&flow, said(200, SAYS_WAITING), 99), 100, false);
  assert_end(&flow, flow_on_timer(&flow, 100.1), FLOW_END_TIMEOUT);
  flow = flow_in(FLOW_POLLING); /* a late answer is an answer all the same */
  assert_end(&flow, reply_with(&flow, said(200, SAYS_SUCCEEDED), 101),
             FLOW_END_SUCCEEDED);
}

static void a_job_may_run_out_of_time_in_the_queue(void **state) {
  Flow flow = flow_in(FLOW_QUEUED);
  (void)state;
  assert_do(flow_on_timer(&flow, 99), FLOW_DO_NOTHING);
  assert_end(&flow, flow_on_timer(&flow, 100), FLOW_END_TIMEOUT);
  flow = flow_in(FLOW_QUEUED);
  assert_end(&flow, flow_start(&flow, 100), FLOW_END_TIMEOUT);
  assert_int_equal(flow.attempts, 0);
}

static void a_known_job_is_polled_at_once(void **state) {
  Flow flow = new_flow(FLOW_RESUME, &settings);
  (void)state;
  assert_do(flow_start(&flow, 50), FLOW_DO_POLL);
  assert_rest(reply_with(&flow, answer(202), 51), 53, false);
  assert_do(flow_on_timer(&flow, 53), FLOW_DO_POLL);
  assert_end(&flow, reply_with(&flow, said(200, SAYS_FAILED), 54),
             FLOW_END_FAILURE);
  assert_int_equal(flow.attempts, 0);
  assert_int_equal(flow.polls, 2);
  assert_false(flow.sent);
}

static void one_poll_is_one_poll(void **state) {
  static const struct {
    ReplyKind kind;
    int status;
    ReplySays says;
    FlowEnd end;
  } rows[] = {
      {REPLY_ANSWERED, 200, SAYS_SUCCEEDED, FLOW_END_SUCCEEDED},
      {REPLY_ANSWERED, 202, SAYS_SUCCEEDED, FLOW_END_SUCCEEDED},
      {REPLY_ANSWERED, 200, SAYS_FAILED, FLOW_END_FAILURE},
      {REPLY_ANSWERED, 200, SAYS_TROUBLE, FLOW_END_FAILURE},
      {REPLY_ANSWERED, 200, SAYS_WAITING, FLOW_END_ACCEPTED},
      {REPLY_ANSWERED, 202, SAYS_WAITING, FLOW_END_ACCEPTED},
      {REPLY_ANSWERED, 200, SAYS_EMPTY, FLOW_END_UNUSABLE},
      {REPLY_ANSWERED, 200, SAYS_STRANGE, FLOW_END_UNUSABLE},
      {REPLY_ANSWERED, 202, SAYS_NOTHING, FLOW_END_UNUSABLE},
      {REPLY_ANSWERED, 404, SAYS_NOTHING, FLOW_END_REFUSED},
      {REPLY_ANSWERED, 401, SAYS_NOTHING, FLOW_END_REFUSED},
      {REPLY_ANSWERED, 503, SAYS_NOTHING, FLOW_END_REFUSED},
      {REPLY_LOST, 0, SAYS_NOTHING, FLOW_END_FAILED},
      {REPLY_NOT_SENT, 0, SAYS_NOTHING, FLOW_END_FAILED},
      {REPLY_HOPELESS, 0, SAYS_NOTHING, FLOW_END_FAILED},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Reply reply = {.kind = rows[i].kind,
                   .status = rows[i].status,
                   .says = rows[i].says,
                   .retry_after = -1};
    Flow flow = new_flow(FLOW_POLL_ONCE, &settings);
    FlowAction action;
    assert_do(flow_start(&flow, 0), FLOW_DO_POLL);
    action = reply_with(&flow, reply, 1);
    check(action.what == FLOW_DO_END && action.end == rows[i].end, "row %zu",
          i);
    assert_int_equal(flow.polls, 1);
  }
}

static void cancelling_ends_every_state_but_a_create_that_left(void **state) {
  static const FlowState states[] = {
      FLOW_QUEUED,      FLOW_CHECKING, FLOW_CREATING, FLOW_HELD,
      FLOW_BACKING_OFF, FLOW_RESTING,  FLOW_POLLING};
  Flow flow;
  (void)state;
  for (size_t i = 0; i < COUNT(states); i++) {
    flow = flow_in(states[i]);
    assert_end(&flow, flow_on_cancel(&flow, false), FLOW_END_CANCELLED);
    assert_do(flow_on_cancel(&flow, false), FLOW_DO_NOTHING);
    assert_false(flow.doubt && states[i] == FLOW_CREATING);
  }
  flow = flow_in(FLOW_CREATING);
  assert_do(flow_on_cancel(&flow, true), FLOW_DO_NOTHING);
  assert_do(reply_with(&flow, answer(200), 1), FLOW_DO_END);
  flow = flow_in(FLOW_ENDED);
  assert_do(flow_on_cancel(&flow, true), FLOW_DO_NOTHING);
}

/* Being kept back by this side is no attempt, and lasts until the deadline. */
static void a_create_that_is_held_waits_for_this_side(void **state) {
  Flow flow = flow_in(FLOW_CREATING);
  (void)state;
  for (int i = 0; i < 10; i++) {
    assert_rest(reply_with(&flow, held, i), 100, true);
    assert_int_equal(flow.state, FLOW_HELD);
    assert_int_equal(flow.attempts, 0);
    assert_do(flow_on_timer(&flow, i), FLOW_DO_NOTHING);
    assert_do(flow_on_ready(&flow, i), FLOW_DO_CREATE);
    assert_int_equal(flow.attempts, 1);
  }
  assert_true(quota.tokens == RETRY_QUOTA_FULL.tokens);
  assert_do(reply_with(&flow, said(200, SAYS_WAITING), 11), FLOW_DO_REST);
  assert_do(flow_on_ready(&flow, 11), FLOW_DO_NOTHING);
  flow = flow_in(FLOW_HELD);
  assert_end(&flow, flow_on_timer(&flow, 100), FLOW_END_FAILED);
  flow = flow_in(FLOW_HELD);
  assert_end(&flow, flow_on_ready(&flow, 100), FLOW_END_FAILED);
  flow = flow_in(FLOW_CREATING);
  assert_end(&flow, reply_with(&flow, held, 100), FLOW_END_FAILED);
  flow = flow_in(FLOW_HELD);
  flow.doubt = true; /* it may have been made before */
  assert_end(&flow, flow_on_timer(&flow, 100), FLOW_END_TIMEOUT);
  flow = flow_in(FLOW_CREATING); /* cannot be: and is no way out of a cancel */
  flow_on_cancel(&flow, true);
  assert_end(&flow, reply_with(&flow, held, 1), FLOW_END_CANCELLED);
}

/* It waited for a place in front of libcurl, and never began. */
static void what_did_not_begin_is_no_attempt(void **state) {
  static const FlowState others[] = {FLOW_QUEUED,  FLOW_CHECKING,
                                     FLOW_HELD,    FLOW_BACKING_OFF,
                                     FLOW_RESTING, FLOW_ENDED};
  Flow flow = flow_in(FLOW_CREATING);
  (void)state;
  assert_int_equal(flow.attempts, 1);
  assert_end(&flow, flow_on_overdue(&flow), FLOW_END_TIMEOUT);
  assert_int_equal(flow.attempts, 0);
  assert_false(flow.sent || flow.doubt);
  flow = flow_in(FLOW_POLLING);
  assert_int_equal(flow.polls, 1);
  assert_end(&flow, flow_on_overdue(&flow), FLOW_END_TIMEOUT);
  assert_int_equal(flow.polls, 0);
  for (size_t i = 0; i < COUNT(others); i++) {
    flow = flow_in(others[i]);
    assert_do(flow_on_overdue(&flow), FLOW_DO_NOTHING);
  }
  flow = flow_in(FLOW_CREATING);
  flow_not_begun(&flow, true);
  assert_end(&flow, flow_on_cancel(&flow, false), FLOW_END_CANCELLED);
  assert_int_equal(flow.attempts, 0);
}

static void the_last_look_is_taken_in_time(void **state) {
  Flow flow = flow_in(FLOW_POLLING); /* at 2; polls come every 2.5 s */
  (void)state;
  assert_rest(reply_with(&flow, answer(202), 96), 98.5, false);
  flow_on_timer(&flow, 98.5);
  assert_rest(reply_with(&flow, answer(202), 98.6), 99, false);
  assert_do(flow_on_timer(&flow, 99), FLOW_DO_POLL);
  assert_rest(reply_with(&flow, answer(202), 99.1), 100, false);
  assert_end(&flow, flow_on_timer(&flow, 100), FLOW_END_TIMEOUT);
  flow = flow_in(FLOW_POLLING); /* what the server asks for is no reason */
  assert_rest(reply_with(&flow, wish(202, 30), 80), 99, false);
  flow = flow_in(FLOW_POLLING); /* unless it is in trouble */
  assert_rest(reply_with(&flow, wish(503, 30), 80), 100, true);
  flow = flow_in(FLOW_POLLING);
  assert_rest(reply_with(&flow, answer(503), 98.8), 99, true);
}

static void a_cancelled_create_tells_how_it_ended(void **state) {
  static const struct {
    Reply reply;
    FlowEnd end;
    bool doubt;
  } rows[] = {
      {{.kind = REPLY_LOST, .retry_after = -1}, FLOW_END_LOST, true},
      {{.kind = REPLY_NOT_SENT, .retry_after = -1}, FLOW_END_CANCELLED, false},
      {{.kind = REPLY_HOPELESS, .retry_after = -1}, FLOW_END_FAILED, false},
      {{.status = 402, .retry_after = -1}, FLOW_END_REFUSED, false},
      {{.status = 429, .retry_after = -1}, FLOW_END_CANCELLED, false},
      {{.status = 503, .retry_after = -1}, FLOW_END_CANCELLED, true},
      {{.status = 200, .retry_after = -1}, FLOW_END_CANCELLED, true}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Flow flow = flow_in(FLOW_CREATING);
    assert_do(flow_on_cancel(&flow, true), FLOW_DO_NOTHING);
    assert_int_equal(flow.state, FLOW_CREATING);
    assert_end(&flow, reply_with(&flow, rows[i].reply, 1), rows[i].end);
    assert_int_equal(flow.attempts, 1);
    check(flow.doubt == rows[i].doubt, "row %zu: doubt", i);
  }
}

/* What belongs to another state does nothing. */
static void events_out_of_place_do_nothing(void **state) {
  (void)state;
  for (FlowState where = FLOW_QUEUED; where <= FLOW_ENDED; where++) {
    Flow flow = flow_in(where);
    if (where != FLOW_QUEUED)
      assert_do(flow_start(&flow, 0), FLOW_DO_NOTHING);
    if (where != FLOW_CHECKING)
      assert_do(flow_on_checked(&flow, true, 0), FLOW_DO_NOTHING);
    if (where != FLOW_CREATING && where != FLOW_POLLING)
      assert_do(reply_with(&flow, answer(200), 0), FLOW_DO_NOTHING);
    if (where != FLOW_BACKING_OFF && where != FLOW_RESTING)
      assert_do(flow_on_timer(&flow, 0), FLOW_DO_NOTHING);
    assert_int_equal(flow.state, where);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_job_is_created_polled_and_ended),
      cmocka_unit_test(the_answer_to_a_create_decides),
      cmocka_unit_test(the_answer_to_a_poll_decides),
      cmocka_unit_test(only_three_oddities_in_a_row_end_the_job),
      cmocka_unit_test(references_are_checked_before_the_create),
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
      cmocka_unit_test(trouble_between_polls_is_waited_out),
      cmocka_unit_test(the_pause_after_much_trouble_is_the_backoff),
      cmocka_unit_test(a_readable_answer_ends_the_trouble),
      cmocka_unit_test(some_answers_to_a_poll_end_the_job),
      cmocka_unit_test(only_three_404_in_a_row_end_the_job),
      cmocka_unit_test(a_wish_of_the_server_replaces_the_schedule),
      cmocka_unit_test(a_wish_with_an_answer_is_heard),
      cmocka_unit_test(rests_end_at_the_deadline),
      cmocka_unit_test(a_job_may_run_out_of_time_in_the_queue),
      cmocka_unit_test(a_known_job_is_polled_at_once),
      cmocka_unit_test(one_poll_is_one_poll),
      cmocka_unit_test(cancelling_ends_every_state_but_a_create_that_left),
      cmocka_unit_test(a_create_that_is_held_waits_for_this_side),
      cmocka_unit_test(what_did_not_begin_is_no_attempt),
      cmocka_unit_test(the_last_look_is_taken_in_time),
      cmocka_unit_test(a_cancelled_create_tells_how_it_ended),
      cmocka_unit_test(events_out_of_place_do_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
