/* The life of one job, step by step: every transition of the job machine.
 * Those of retries and polls are in job_state_retry_test.c and
 * job_state_poll_test.c. */
#include "one_job.h"

static void a_job_is_created_polled_and_ended(void **state) {
  JobState job = new_job(JOB_MODE_GENERATE, &settings);
  (void)state;
  assert_int_equal(job.phase, PHASE_QUEUED);
  assert_do(job_state_start(&job, 10), JOB_DO_CREATE);
  assert_int_equal(job.attempts, 1);
  assert_false(job.sent);
  assert_rest(reply_with(&job, said(200, SAYS_WAITING), 11.5), 13.5, false);
  assert_true(job.sent);
  assert_do(job_state_on_timer(&job, 13.5), JOB_DO_POLL);
  assert_rest(reply_with(&job, answer(202), 14), 16.5, false);
  assert_do(job_state_on_timer(&job, 16.5), JOB_DO_POLL);
  assert_int_equal(job.polls, 2);
  assert_rest(reply_with(&job, said(200, SAYS_NOTHING), 17), 19.5, true);
  assert_do(job_state_on_timer(&job, 19.5), JOB_DO_POLL);
  assert_end(&job, reply_with(&job, said(200, SAYS_SUCCEEDED), 20),
             JOB_END_SUCCEEDED);
  assert_int_equal(job.attempts, 1);
}

/* What the answer to a create says, in each mode. */
static void the_answer_to_a_create_decides(void **state) {
  static const struct {
    BodySays says;
    bool named;
    JobMode mode;
    JobDo what;
    JobEnd end;
  } rows[] = {
      {SAYS_SUCCEEDED, true, JOB_MODE_GENERATE, JOB_DO_END, JOB_END_SUCCEEDED},
      {SAYS_FAILED, true, JOB_MODE_GENERATE, JOB_DO_END, JOB_END_FAILURE},
      {SAYS_WAITING, true, JOB_MODE_GENERATE, JOB_DO_WAIT, 0},
      {SAYS_NOTHING, true, JOB_MODE_GENERATE, JOB_DO_WAIT, 0},
      {SAYS_STRANGE, true, JOB_MODE_GENERATE, JOB_DO_WAIT, 0},
      {SAYS_EMPTY, true, JOB_MODE_GENERATE, JOB_DO_WAIT, 0},
      {SAYS_WAITING, true, JOB_MODE_CREATE_ONLY, JOB_DO_END, JOB_END_ACCEPTED},
      {SAYS_SUCCEEDED, true, JOB_MODE_CREATE_ONLY, JOB_DO_END,
       JOB_END_SUCCEEDED},
      {SAYS_FAILED, true, JOB_MODE_CREATE_ONLY, JOB_DO_END, JOB_END_FAILURE},
      {SAYS_SUCCEEDED, false, JOB_MODE_GENERATE, JOB_DO_END, JOB_END_UNUSABLE},
      {SAYS_NOTHING, false, JOB_MODE_GENERATE, JOB_DO_END, JOB_END_UNUSABLE},
      {SAYS_WAITING, false, JOB_MODE_CREATE_ONLY, JOB_DO_END,
       JOB_END_UNUSABLE}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    JobState job = new_job(rows[i].mode, &settings);
    HttpOutcome reply = said(200, rows[i].says);
    JobAction action;
    reply.named = rows[i].named;
    job_state_start(&job, 0);
    action = reply_with(&job, reply, 1);
    check(action.what == rows[i].what, "row %zu", i);
    check(action.what != JOB_DO_END || action.end == rows[i].end, "row %zu", i);
    check(!action.retry && job.created == 1, "row %zu", i);
    assert_int_equal(job.polls, 0);
  }
}

static void references_are_checked_before_the_create(void **state) {
  JobState job = new_job(JOB_MODE_GENERATE, &settings);
  (void)state;
  job.check = true;
  assert_do(job_state_start(&job, 0), JOB_DO_CHECK);
  assert_int_equal(job.attempts, 0);
  assert_do(job_state_on_checked(&job, true, 1), JOB_DO_CREATE);
  job = job_in(PHASE_CHECKING);
  assert_end(&job, job_state_on_checked(&job, false, 1), JOB_END_REFERENCE);
  assert_int_equal(job.attempts, 0);
  assert_false(job.sent);
  job = job_in(PHASE_CHECKING);
  assert_end(&job, job_state_on_checked(&job, true, 100), JOB_END_TIMEOUT);
  assert_int_equal(job.attempts, 0);
  job = job_in(PHASE_CHECKING);
  assert_do(job_state_on_timer(&job, 99), JOB_DO_NOTHING);
  assert_end(&job, job_state_on_timer(&job, 100), JOB_END_TIMEOUT);
}

static void a_job_may_run_out_of_time_in_the_queue(void **state) {
  JobState job = job_in(PHASE_QUEUED);
  (void)state;
  assert_do(job_state_on_timer(&job, 99), JOB_DO_NOTHING);
  assert_end(&job, job_state_on_timer(&job, 100), JOB_END_TIMEOUT);
  job = job_in(PHASE_QUEUED);
  assert_end(&job, job_state_start(&job, 100), JOB_END_TIMEOUT);
  assert_int_equal(job.attempts, 0);
}

static void cancelling_ends_every_state_but_a_create_that_left(void **state) {
  static const JobPhase states[] = {
      PHASE_QUEUED,      PHASE_CHECKING, PHASE_CREATING, PHASE_HELD,
      PHASE_BACKING_OFF, PHASE_WAITING,  PHASE_POLLING};
  JobState job;
  (void)state;
  for (size_t i = 0; i < COUNT(states); i++) {
    job = job_in(states[i]);
    assert_end(&job, job_state_on_cancel(&job, false), JOB_END_CANCELLED);
    assert_do(job_state_on_cancel(&job, false), JOB_DO_NOTHING);
    assert_false(job.maybe_charged && states[i] == PHASE_CREATING);
  }
  job = job_in(PHASE_CREATING);
  assert_do(job_state_on_cancel(&job, true), JOB_DO_NOTHING);
  assert_do(reply_with(&job, answer(200), 1), JOB_DO_END);
  job = job_in(PHASE_ENDED);
  assert_do(job_state_on_cancel(&job, true), JOB_DO_NOTHING);
}

/* Being kept back by this side is no attempt, and lasts until the deadline. */
static void a_create_that_is_held_waits_for_this_side(void **state) {
  JobState job = job_in(PHASE_CREATING);
  (void)state;
  for (int i = 0; i < 10; i++) {
    assert_rest(reply_with(&job, held, i), 100, true);
    assert_int_equal(job.phase, PHASE_HELD);
    assert_int_equal(job.attempts, 0);
    assert_do(job_state_on_timer(&job, i), JOB_DO_NOTHING);
    assert_do(job_state_on_ready(&job, i), JOB_DO_CREATE);
    assert_int_equal(job.attempts, 1);
  }
  assert_true(quota.tokens == RETRY_QUOTA_FULL.tokens);
  assert_do(reply_with(&job, said(200, SAYS_WAITING), 11), JOB_DO_WAIT);
  assert_do(job_state_on_ready(&job, 11), JOB_DO_NOTHING);
  job = job_in(PHASE_HELD);
  assert_end(&job, job_state_on_timer(&job, 100), JOB_END_FAILED);
  job = job_in(PHASE_HELD);
  assert_end(&job, job_state_on_ready(&job, 100), JOB_END_FAILED);
  job = job_in(PHASE_CREATING);
  assert_end(&job, reply_with(&job, held, 100), JOB_END_FAILED);
  job = job_in(PHASE_HELD);
  job.maybe_charged = true; /* it may have been made before */
  assert_end(&job, job_state_on_timer(&job, 100), JOB_END_TIMEOUT);
  job = job_in(PHASE_CREATING); /* cannot be: and is no way out of a cancel */
  job_state_on_cancel(&job, true);
  assert_end(&job, reply_with(&job, held, 1), JOB_END_CANCELLED);
}

/* It waited for a place in front of libcurl, and never began. */
static void what_did_not_begin_is_no_attempt(void **state) {
  static const JobPhase others[] = {PHASE_QUEUED,  PHASE_CHECKING,
                                    PHASE_HELD,    PHASE_BACKING_OFF,
                                    PHASE_WAITING, PHASE_ENDED};
  JobState job = job_in(PHASE_CREATING);
  (void)state;
  assert_int_equal(job.attempts, 1);
  assert_end(&job, job_state_on_overdue(&job), JOB_END_TIMEOUT);
  assert_int_equal(job.attempts, 0);
  assert_false(job.sent || job.maybe_charged);
  job = job_in(PHASE_POLLING);
  assert_int_equal(job.polls, 1);
  assert_end(&job, job_state_on_overdue(&job), JOB_END_TIMEOUT);
  assert_int_equal(job.polls, 0);
  for (size_t i = 0; i < COUNT(others); i++) {
    job = job_in(others[i]);
    assert_do(job_state_on_overdue(&job), JOB_DO_NOTHING);
  }
  job = job_in(PHASE_CREATING);
  job_state_not_begun(&job, true);
  assert_end(&job, job_state_on_cancel(&job, false), JOB_END_CANCELLED);
  assert_int_equal(job.attempts, 0);
}

static void a_cancelled_create_tells_how_it_ended(void **state) {
  static const struct {
    HttpOutcome reply;
    JobEnd end;
    bool maybe_charged;
  } rows[] = {
      {{.kind = OUTCOME_LOST, .retry_after = -1}, JOB_END_LOST, true},
      {{.kind = OUTCOME_NOT_SENT, .retry_after = -1}, JOB_END_CANCELLED, false},
      {{.kind = OUTCOME_HOPELESS, .retry_after = -1}, JOB_END_FAILED, false},
      {{.status = 402, .retry_after = -1}, JOB_END_REFUSED, false},
      {{.status = 429, .retry_after = -1}, JOB_END_CANCELLED, false},
      {{.status = 503, .retry_after = -1}, JOB_END_CANCELLED, true},
      {{.status = 200, .retry_after = -1}, JOB_END_CANCELLED, true}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    JobState job = job_in(PHASE_CREATING);
    assert_do(job_state_on_cancel(&job, true), JOB_DO_NOTHING);
    assert_int_equal(job.phase, PHASE_CREATING);
    assert_end(&job, reply_with(&job, rows[i].reply, 1), rows[i].end);
    assert_int_equal(job.attempts, 1);
    check(job.maybe_charged == rows[i].maybe_charged, "row %zu: doubt", i);
  }
}

/* What belongs to another job does nothing. */
static void events_out_of_place_do_nothing(void **state) {
  (void)state;
  for (JobPhase where = PHASE_QUEUED; where <= PHASE_ENDED; where++) {
    JobState job = job_in(where);
    if (where != PHASE_QUEUED)
      assert_do(job_state_start(&job, 0), JOB_DO_NOTHING);
    if (where != PHASE_CHECKING)
      assert_do(job_state_on_checked(&job, true, 0), JOB_DO_NOTHING);
    if (where != PHASE_CREATING && where != PHASE_POLLING)
      assert_do(reply_with(&job, answer(200), 0), JOB_DO_NOTHING);
    if (where != PHASE_BACKING_OFF && where != PHASE_WAITING)
      assert_do(job_state_on_timer(&job, 0), JOB_DO_NOTHING);
    assert_int_equal(job.phase, where);
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
