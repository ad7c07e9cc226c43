/* The life of one job, step by step: every transition of the state machine.
 * Those of retries and polls are in flow_retry_test.c and flow_poll_test.c. */
#include "one_flow.h"

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

static void a_job_may_run_out_of_time_in_the_queue(void **state) {
  Flow flow = flow_in(FLOW_QUEUED);
  (void)state;
  assert_do(flow_on_timer(&flow, 99), FLOW_DO_NOTHING);
  assert_end(&flow, flow_on_timer(&flow, 100), FLOW_END_TIMEOUT);
  flow = flow_in(FLOW_QUEUED);
  assert_end(&flow, flow_start(&flow, 100), FLOW_END_TIMEOUT);
  assert_int_equal(flow.attempts, 0);
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
      cmocka_unit_test(references_are_checked_before_the_create),
      cmocka_unit_test(a_job_may_run_out_of_time_in_the_queue),
      cmocka_unit_test(cancelling_ends_every_state_but_a_create_that_left),
      cmocka_unit_test(a_create_that_is_held_waits_for_this_side),
      cmocka_unit_test(what_did_not_begin_is_no_attempt),
      cmocka_unit_test(a_cancelled_create_tells_how_it_ended),
      cmocka_unit_test(events_out_of_place_do_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
