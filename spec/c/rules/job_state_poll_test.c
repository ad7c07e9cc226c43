/* The polls of a job: when they go out, and which of their answers end it. */
#include "one_job.h"

/* What the answer to a poll says, whatever 2xx it came with. */
static void the_answer_to_a_poll_decides(void **state) {
  static const struct {
    int status;
    BodySays says;
    JobDo what;
    JobEnd end;
    bool retry;
  } rows[] = {{200, SAYS_SUCCEEDED, JOB_DO_END, JOB_END_SUCCEEDED, false},
              {202, SAYS_SUCCEEDED, JOB_DO_END, JOB_END_SUCCEEDED, false},
              {206, SAYS_FAILED, JOB_DO_END, JOB_END_FAILURE, false},
              {200, SAYS_WAITING, JOB_DO_WAIT, 0, false},
              {203, SAYS_WAITING, JOB_DO_WAIT, 0, false},
              {200, SAYS_STRANGE, JOB_DO_WAIT, 0, false},
              {202, SAYS_STRANGE, JOB_DO_WAIT, 0, false},
              {202, SAYS_NOTHING, JOB_DO_WAIT, 0, false},
              {200, SAYS_NOTHING, JOB_DO_WAIT, 0, true},
              {201, SAYS_NOTHING, JOB_DO_WAIT, 0, true},
              {204, SAYS_NOTHING, JOB_DO_WAIT, 0, true},
              {200, SAYS_TROUBLE, JOB_DO_WAIT, 0, true},
              {200, SAYS_EMPTY, JOB_DO_WAIT, 0, true}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    JobState job = job_in(PHASE_POLLING);
    JobAction action = reply_with(&job, said(rows[i].status, rows[i].says), 3);
    check(action.what == rows[i].what, "row %zu", i);
    check(action.what != JOB_DO_END || action.end == rows[i].end, "row %zu", i);
    check(action.retry == rows[i].retry, "row %zu", i);
    check(action.unusable == rows[i].retry, "row %zu", i); /* and why */
  }
}

/* Three in a row that cannot be used; another answer in between begins anew. */
static void only_three_oddities_in_a_row_end_the_job(void **state) {
  static const struct {
    BodySays says;
    JobEnd end;
  } rows[] = {{SAYS_TROUBLE, JOB_END_FAILURE}, {SAYS_EMPTY, JOB_END_UNUSABLE}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    JobState job = job_in(PHASE_POLLING);
    for (int k = 0; k < 2; k++) {
      assert_do(reply_with(&job, said(200, rows[i].says), 3), JOB_DO_WAIT);
      assert_do(job_state_on_timer(&job, 3), JOB_DO_POLL);
    }
    assert_do(reply_with(&job, said(202, SAYS_WAITING), 3), JOB_DO_WAIT);
    for (int k = 0; k < 2; k++) {
      assert_do(job_state_on_timer(&job, 3), JOB_DO_POLL);
      assert_do(reply_with(&job, said(200, rows[i].says), 3), JOB_DO_WAIT);
    }
    assert_do(job_state_on_timer(&job, 3), JOB_DO_POLL);
    assert_do(reply_with(&job, answer(503), 3), JOB_DO_WAIT);
    assert_do(job_state_on_timer(&job, 3), JOB_DO_POLL);
    assert_end(&job, reply_with(&job, said(200, rows[i].says), 3), rows[i].end);
  }
}

static void trouble_between_polls_is_waited_out(void **state) {
  static const int statuses[] = {301, 307, 400, 404, 408, 409, 418, 422,
                                 425, 429, 500, 502, 503, 504, 599};
  (void)state;
  for (size_t i = 0; i < COUNT(statuses); i++) {
    JobState job = job_in(PHASE_POLLING);
    assert_rest(reply_with(&job, answer(statuses[i]), 3), 5.5, true);
    assert_do(job_state_on_timer(&job, 5.5), JOB_DO_POLL);
  }
  for (unsigned i = 0; i < 3; i++) {
    static const HttpOutcome *const replies[] = {&lost, &not_sent, &hopeless};
    JobState job = job_in(PHASE_POLLING);
    assert_rest(reply_with(&job, *replies[i], 3), 5.5, true);
  }
}

static void the_pause_after_much_trouble_is_the_backoff(void **state) {
  static const double pauses[] = {2.5, 2.5, 3, 6, 12, 15, 15};
  JobState job = job_in(PHASE_POLLING);
  double now = 3;
  (void)state;
  job.deadline = 1e6;
  for (size_t i = 0; i < COUNT(pauses); i++) {
    assert_rest(reply_with(&job, answer(503), now), now + pauses[i], true);
    assert_do(job_state_on_timer(&job, now), JOB_DO_POLL);
  }
  assert_rest(reply_with(&job, answer(202), now), now + 2.5, false);
  assert_do(job_state_on_timer(&job, now), JOB_DO_POLL);
  assert_rest(reply_with(&job, answer(503), now), now + 2.5, true);
}

static void a_readable_answer_ends_the_trouble(void **state) {
  JobState job = job_in(PHASE_POLLING);
  (void)state;
  assert_rest(reply_with(&job, answer(503), 3), 5.5, true);
  job_state_on_timer(&job, 5.5);
  assert_rest(reply_with(&job, said(200, SAYS_WAITING), 6), 8.5, false);
}

static void some_answers_to_a_poll_end_the_job(void **state) {
  static const int refused[] = {401, 403, 410};
  JobState job;
  (void)state;
  for (size_t i = 0; i < COUNT(refused); i++) {
    job = job_in(PHASE_POLLING);
    assert_end(&job, reply_with(&job, answer(refused[i]), 3), JOB_END_REFUSED);
  }
}

static void only_three_404_in_a_row_end_the_job(void **state) {
  static const int statuses[] = {404, 404, 202, 404, 404, 500, 404, 404, 404};
  JobState job = job_in(PHASE_POLLING);
  (void)state;
  for (size_t i = 0; i < COUNT(statuses) - 1; i++) {
    assert_do(reply_with(&job, answer(statuses[i]), 3), JOB_DO_WAIT);
    assert_do(job_state_on_timer(&job, 3), JOB_DO_POLL);
  }
  assert_end(&job, reply_with(&job, answer(404), 3), JOB_END_REFUSED);
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
    JobState job = job_in(PHASE_POLLING);
    HttpOutcome reply = answer(rows[i].status);
    reply.retry_after = rows[i].wish;
    assert_rest(reply_with(&job, reply, 3), 3 + rows[i].pause,
                rows[i].status != 202);
  }
}

/* Of the create's own answer, and of a poll that only looked final. */
static void a_wish_with_an_answer_is_heard(void **state) {
  static const struct {
    double wish, pause, pause_after_poll;
  } rows[] = {{-1, 2, 2.5}, {0, 0.5, 0.5}, {7, 7, 7}, {600, 30, 30}};
  static const BodySays says[] = {SAYS_WAITING, SAYS_NOTHING, SAYS_STRANGE};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    for (size_t k = 0; k < COUNT(says); k++) {
      JobState job = job_in(PHASE_CREATING);
      HttpOutcome reply = said(202, says[k]);
      reply.retry_after = rows[i].wish;
      assert_rest(reply_with(&job, reply, 3), 3 + rows[i].pause, false);
      assert_do(job_state_on_timer(&job, 50), JOB_DO_POLL);
      reply.status = 200;
      assert_rest(reply_with(&job, reply, 51), 51 + rows[i].pause_after_poll,
                  says[k] == SAYS_NOTHING);
      assert_do(job_state_on_timer(&job, 90), JOB_DO_POLL);
      assert_true(reply_with(&job, said(200, SAYS_WAITING), 90).at < 94);
    }
}

static void rests_end_at_the_deadline(void **state) {
  static const int statuses[] = {202, 503};
  JobState job;
  (void)state;
  for (size_t i = 0; i < COUNT(statuses); i++) {
    job = job_in(PHASE_POLLING);
    assert_rest(reply_with(&job, answer(statuses[i]), 99), 100, i == 1);
    assert_end(&job, job_state_on_timer(&job, 100), JOB_END_TIMEOUT);
    job = job_in(PHASE_POLLING); /* the reply itself came late */
    assert_rest(reply_with(&job, answer(statuses[i]), 101), 100, i == 1);
  }
  job = job_in(PHASE_CREATING);
  assert_rest(reply_with(&job, said(200, SAYS_WAITING), 99), 100, false);
  assert_end(&job, job_state_on_timer(&job, 100.1), JOB_END_TIMEOUT);
  job = job_in(PHASE_POLLING); /* a late answer is an answer all the same */
  assert_end(&job, reply_with(&job, said(200, SAYS_SUCCEEDED), 101),
             JOB_END_SUCCEEDED);
}

static void a_known_job_is_polled_at_once(void **state) {
  JobState job = new_job(JOB_MODE_RESUME, &settings);
  (void)state;
  assert_do(job_state_start(&job, 50), JOB_DO_POLL);
  assert_rest(reply_with(&job, answer(202), 51), 53, false);
  assert_do(job_state_on_timer(&job, 53), JOB_DO_POLL);
  assert_end(&job, reply_with(&job, said(200, SAYS_FAILED), 54),
             JOB_END_FAILURE);
  assert_int_equal(job.attempts, 0);
  assert_int_equal(job.polls, 2);
  assert_false(job.sent);
}

static void one_poll_is_one_poll(void **state) {
  static const struct {
    OutcomeKind kind;
    int status;
    BodySays says;
    JobEnd end;
  } rows[] = {
      {OUTCOME_ANSWERED, 200, SAYS_SUCCEEDED, JOB_END_SUCCEEDED},
      {OUTCOME_ANSWERED, 202, SAYS_SUCCEEDED, JOB_END_SUCCEEDED},
      {OUTCOME_ANSWERED, 200, SAYS_FAILED, JOB_END_FAILURE},
      {OUTCOME_ANSWERED, 200, SAYS_TROUBLE, JOB_END_FAILURE},
      {OUTCOME_ANSWERED, 200, SAYS_WAITING, JOB_END_ACCEPTED},
      {OUTCOME_ANSWERED, 202, SAYS_WAITING, JOB_END_ACCEPTED},
      {OUTCOME_ANSWERED, 200, SAYS_EMPTY, JOB_END_UNUSABLE},
      {OUTCOME_ANSWERED, 200, SAYS_STRANGE, JOB_END_UNUSABLE},
      {OUTCOME_ANSWERED, 202, SAYS_NOTHING, JOB_END_UNUSABLE},
      {OUTCOME_ANSWERED, 404, SAYS_NOTHING, JOB_END_REFUSED},
      {OUTCOME_ANSWERED, 401, SAYS_NOTHING, JOB_END_REFUSED},
      {OUTCOME_ANSWERED, 503, SAYS_NOTHING, JOB_END_REFUSED},
      {OUTCOME_LOST, 0, SAYS_NOTHING, JOB_END_FAILED},
      {OUTCOME_NOT_SENT, 0, SAYS_NOTHING, JOB_END_FAILED},
      {OUTCOME_HOPELESS, 0, SAYS_NOTHING, JOB_END_FAILED},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    HttpOutcome reply = {.kind = rows[i].kind,
                         .status = rows[i].status,
                         .says = rows[i].says,
                         .retry_after = -1};
    JobState job = new_job(JOB_MODE_POLL_ONCE, &settings);
    JobAction action;
    assert_do(job_state_start(&job, 0), JOB_DO_POLL);
    action = reply_with(&job, reply, 1);
    check(action.what == JOB_DO_END && action.end == rows[i].end, "row %zu", i);
    assert_int_equal(job.polls, 1);
  }
}

static void the_last_look_is_taken_in_time(void **state) {
  JobState job = job_in(PHASE_POLLING); /* at 2; polls come every 2.5 s */
  (void)state;
  assert_rest(reply_with(&job, answer(202), 96), 98.5, false);
  job_state_on_timer(&job, 98.5);
  assert_rest(reply_with(&job, answer(202), 98.5), 99, false);
  assert_do(job_state_on_timer(&job, 99), JOB_DO_POLL);
  assert_rest(reply_with(&job, answer(202), 99.1), 100, false);
  assert_end(&job, job_state_on_timer(&job, 100), JOB_END_TIMEOUT);
  job = job_in(PHASE_POLLING); /* what the server asks for is no reason */
  assert_rest(reply_with(&job, wish(202, 30), 80), 99, false);
  job = job_in(PHASE_POLLING); /* unless it is in trouble */
  assert_rest(reply_with(&job, wish(503, 30), 80), 100, true);
  job = job_in(PHASE_POLLING);
  assert_rest(reply_with(&job, answer(503), 98.5), 99, true);
}

/* However close the deadline is: half a unit, or half of the pause where that
 * is shorter; and where there is no time for that, none comes. */
static void the_last_look_keeps_the_least_gap(void **state) {
  JobState job = job_in(PHASE_POLLING); /* until 100; polls come every 2.5 s */
  JobRules brief = settings;
  (void)state;
  assert_rest(reply_with(&job, answer(202), 98.8), 99.3, false);
  job = job_in(PHASE_POLLING);
  assert_rest(reply_with(&job, answer(202), 98.98), 99.48, false);
  brief.poll = (PollSettings){0.2, 0.25, 0.25, 0.1, NULL};
  job = job_in(PHASE_POLLING);
  job.settings = &brief;
  job.pause = 0.25f;
  assert_rest(reply_with(&job, answer(202), 99.86), 99.91, false);
  job = job_in(PHASE_POLLING);
  job.settings = &brief;
  job.pause = 0.25f;
  brief.poll.unit = 1; /* its own times are shorter */
  assert_rest(reply_with(&job, answer(202), 99.8), 99.925, false);
  job = job_in(PHASE_POLLING);
  job.settings = &brief;
  job.pause = 0.25f;
  assert_rest(reply_with(&job, answer(202), 99.86), 100, false);
}

static void assert_took(const JobState *job, double now, double low,
                        double high) {
  Duration took = {0};
  assert_true(job_state_took(job, now, &took));
  check(is_near(took.began, job->created) && is_near((double)took.low, low) &&
            is_near((double)took.high, high),
        "from %f to %f", (double)took.low, (double)took.high);
}

static void assert_untold(const JobState *job, double now) {
  Duration took;
  assert_false(job_state_took(job, now, &took));
}

/* The job's next poll goes out at `sent`, and is answered at `now`. */
static void look(JobState *job, HttpOutcome reply, double sent, double now) {
  job_state_on_timer(job, sent);
  job_state_on_sent(job, sent);
  reply_with(job, reply, now);
}

/* What is answered late was so when it was asked, or later; and who asked late,
 * for the poll waited for a connection, asked late. */
static void a_job_that_succeeds_tells_how_long_it_took(void **state) {
  JobState job = job_in(PHASE_POLLING); /* created at 0 */
  (void)state;
  assert_took(&job, 8, 0, 8);
  job_state_on_sent(&job, 2.5);
  reply_with(&job, said(200, SAYS_WAITING), 4);
  assert_took(&job, 8, 2.5, 8);
  look(&job, answer(503), 6, 6.5); /* says nothing of it */
  look(&job, said(200, SAYS_STRANGE), 8, 9);
  assert_took(&job, 10, 2.5, 10);
  look(&job, said(202, SAYS_NOTHING), 10, 14); /* says that it goes on */
  assert_took(&job, 20, 10, 20);
  job_state_on_timer(&job, 15);
  job_state_on_sent(&job, 15);
  job_state_on_sent(&job, 16.5); /* it had found no connection */
  reply_with(&job, said(202, SAYS_WAITING), 17);
  assert_took(&job, 20, 16.5, 20);
  assert_untold(&job, 32); /* looked at too rarely */
}

static void who_was_not_there_from_the_create_tells_no_length(void **state) {
  JobState job = new_job(JOB_MODE_RESUME, &settings);
  (void)state;
  job_state_start(&job, 50);
  reply_with(&job, answer(202), 51);
  assert_untold(&job, 53);
  job = new_job(JOB_MODE_GENERATE, &settings); /* done with its create */
  job_state_start(&job, 50);
  reply_with(&job, said(200, SAYS_SUCCEEDED), 51);
  assert_untold(&job, 51);
}

/* A poll says nothing of a job that was created after it. */
static void only_a_poll_is_a_look(void **state) {
  JobState job = job_in(PHASE_WAITING);
  (void)state;
  job_state_on_sent(&job, 1);
  job_state_on_timer(&job, 2);
  reply_with(&job, said(200, SAYS_WAITING), 3);
  assert_took(&job, 4, 0, 4);
}

/* Wishes, troubles and ends stay what they were. */
static void a_plan_changes_nothing_but_the_pause(void **state) {
  static const PollPlan plan = {
      .count = 1, .times = {8}, .after = 5, .end = 20};
  static const PollPlan *const plans[] = {NULL, &plan};
  static const JobRules planned = {.retry = RETRY_DOCUMENTED,
                                   .max_attempts = 3,
                                   .poll = {2.0, 2.5, 5.0, 1, plans}};
  JobState job = new_job(JOB_MODE_GENERATE, &planned);
  (void)state;
  job.class = 1;
  job_state_start(&job, 0);
  assert_rest(reply_with(&job, said(200, SAYS_WAITING), 0), 8, false);
  job_state_on_timer(&job, 8);
  assert_rest(reply_with(&job, wish(202, 7), 8), 15, false);
  job_state_on_timer(&job, 15);
  assert_rest(reply_with(&job, wish(429, 20), 15), 35, true);
  job_state_on_timer(&job, 35);
  for (int i = 0; i < 2; i++) {
    assert_rest(reply_with(&job, answer(503), 35), 40, true);
    job_state_on_timer(&job, 35);
  }
  assert_rest(reply_with(&job, answer(503), 35), 35 + 6, true);
  job_state_on_timer(&job, 96);
  assert_rest(reply_with(&job, said(202, SAYS_WAITING), 96), 99, false);
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
      cmocka_unit_test(the_last_look_keeps_the_least_gap),
      cmocka_unit_test(a_job_that_succeeds_tells_how_long_it_took),
      cmocka_unit_test(only_a_poll_is_a_look),
      cmocka_unit_test(who_was_not_there_from_the_create_tells_no_length),
      cmocka_unit_test(a_plan_changes_nothing_but_the_pause),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
