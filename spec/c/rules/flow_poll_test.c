/* The polls of a job: when they go out, and which of their answers end it. */
#include "one_flow.h"

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
              {204, SAYS_NOTHING, FLOW_DO_REST, 0, true},
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
    check(action.unusable == rows[i].retry, "row %zu", i); /* and why */
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_answer_to_a_poll_decides),
      cmocka_unit_test(only_three_oddities_in_a_row_end_the_job),
      cmocka_unit_test(trouble_between_polls_is_waited_out),
      cmocka_unit_test(the_pause_after_much_trouble_is_the_backoff),
      cmocka_unit_test(a_readable_answer_ends_the_trouble),
      cmocka_unit_test(some_answers_to_a_poll_end_the_job),
      cmocka_unit_test(only_three_404_in_a_row_end_the_job),
      cmocka_unit_test(a_wish_of_the_server_replaces_the_schedule),
      cmocka_unit_test(a_wish_with_an_answer_is_heard),
      cmocka_unit_test(rests_end_at_the_deadline),
      cmocka_unit_test(a_known_job_is_polled_at_once),
      cmocka_unit_test(one_poll_is_one_poll),
      cmocka_unit_test(the_last_look_is_taken_in_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
