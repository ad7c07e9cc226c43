/* Which creates of a job are repeated, when, and what is in doubt then. */
#include "one_job.h"

static void what_never_left_is_repeated_max_attempts_times(void **state) {
  JobState job = job_in(PHASE_CREATING);
  (void)state;
  assert_rest(reply_with(&job, not_sent, 0), 0.75, true);
  assert_do(job_state_on_timer(&job, 0.75), JOB_DO_CREATE);
  assert_rest(reply_with(&job, not_sent, 1), 2.5, true);
  assert_do(job_state_on_timer(&job, 2.5), JOB_DO_CREATE);
  assert_end(&job, reply_with(&job, not_sent, 3), JOB_END_FAILED);
  assert_int_equal(job.attempts, 3);
  assert_false(job.sent);
}

static void a_create_that_got_through_later_starts_afresh(void **state) {
  JobState job = job_in(PHASE_BACKING_OFF);
  (void)state;
  assert_do(job_state_on_timer(&job, 1), JOB_DO_CREATE);
  assert_rest(reply_with(&job, said(201, SAYS_WAITING), 1), 3, false);
}

static void a_create_ends_the_job_when_it_must_not_be_repeated(void **state) {
  static const int refused[] = {301, 307, 400, 401, 402, 404,
                                409, 410, 422, 501, 505};
  JobState job = job_in(PHASE_CREATING);
  (void)state;
  assert_end(&job, reply_with(&job, lost, 1), JOB_END_LOST);
  assert_true(job.sent);
  job = job_in(PHASE_CREATING);
  assert_end(&job, reply_with(&job, hopeless, 1), JOB_END_FAILED);
  assert_false(job.sent);
  assert_false(job.maybe_charged);
  for (size_t i = 0; i < COUNT(refused); i++) {
    job = job_in(PHASE_CREATING);
    assert_end(&job, reply_with(&job, answer(refused[i]), 1), JOB_END_REFUSED);
    assert_int_equal(job.attempts, 1);
    assert_true(job.sent);
  }
}

/* A job whose first create, under these settings, is on its way. */
static JobState creating(const JobRules *chosen) {
  JobState job = new_job(JOB_MODE_GENERATE, chosen);
  assert_do(job_state_start(&job, 0), JOB_DO_CREATE);
  return job;
}

/* Gives the reply to every create until the job ends; its attempts. */
static unsigned insist(JobState *job, HttpOutcome reply, JobEnd end) {
  JobAction action = reply_with(job, reply, 1);
  while (action.what == JOB_DO_WAIT) {
    assert_true(action.retry);
    assert_do(job_state_on_timer(job, action.at), JOB_DO_CREATE);
    action = reply_with(job, reply, action.at);
  }
  assert_end(job, action, end);
  return job->attempts;
}

static void creates_are_repeated_as_the_mode_says(void **state) {
  static const JobRules *const modes[] = {&safe, &settings, &idempotent};
  static const struct {
    HttpOutcome reply;
    unsigned attempts[3];
    JobEnd end;
    bool maybe_charged;
  } rows[] = {
      {{.kind = OUTCOME_NOT_SENT, .retry_after = -1},
       {3, 3, 3},
       JOB_END_FAILED,
       false},
      {{.status = 429, .retry_after = -1}, {3, 3, 3}, JOB_END_REFUSED, false},
      {{.status = 408, .retry_after = -1}, {1, 3, 3}, JOB_END_REFUSED, true},
      {{.status = 500, .retry_after = -1}, {1, 3, 3}, JOB_END_REFUSED, true},
      {{.status = 502, .retry_after = -1}, {1, 3, 3}, JOB_END_REFUSED, true},
      {{.status = 503, .retry_after = -1}, {1, 3, 3}, JOB_END_REFUSED, true},
      {{.status = 504, .retry_after = -1}, {1, 3, 3}, JOB_END_REFUSED, true},
      {{.kind = OUTCOME_LOST, .retry_after = -1},
       {1, 1, 3},
       JOB_END_LOST,
       true},
      {{.status = 409, .retry_after = -1}, {1, 1, 1}, JOB_END_REFUSED, true},
      {{.status = 402, .retry_after = -1}, {1, 1, 1}, JOB_END_REFUSED, false},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    for (size_t k = 0; k < COUNT(modes); k++) {
      JobState job = creating(modes[k]);
      unsigned attempts = insist(&job, rows[i].reply, rows[i].end);
      check(attempts == rows[i].attempts[k], "row %zu, mode %zu: %u", i, k,
            attempts);
      check(job.maybe_charged == rows[i].maybe_charged,
            "row %zu, mode %zu: doubt", i, k);
    }
}

/* The service is still at work on the create before: wait, same key. */
static void a_conflict_is_waited_out_under_a_repeated_key(void **state) {
  JobState job = creating(&settings);
  (void)state;
  assert_rest(reply_with(&job, answer(503), 0), 0.75, true);
  assert_do(job_state_on_timer(&job, 1), JOB_DO_CREATE);
  assert_rest(reply_with(&job, answer(409), 1), 2.5, true);
  assert_do(job_state_on_timer(&job, 3), JOB_DO_CREATE);
  assert_do(reply_with(&job, said(200, SAYS_WAITING), 3), JOB_DO_WAIT);
  job = creating(&settings); /* what never left repeats no key */
  assert_rest(reply_with(&job, not_sent, 0), 0.75, true);
  assert_do(job_state_on_timer(&job, 1), JOB_DO_CREATE);
  assert_end(&job, reply_with(&job, answer(409), 1), JOB_END_REFUSED);
  quota = RETRY_QUOTA_FULL; /* a key that an earlier process sent */
  job_state_init(&job, JOB_MODE_GENERATE, &safe, &quota, true, 100);
  assert_do(job_state_start(&job, 0), JOB_DO_CREATE);
  assert_rest(reply_with(&job, answer(409), 0), 0.75, true);
}

/* After a 503 nobody knows; a create that then never leaves changes nothing. */
static void a_doubt_outlives_later_attempts(void **state) {
  JobState job = creating(&settings);
  (void)state;
  assert_do(reply_with(&job, answer(503), 0), JOB_DO_WAIT);
  assert_do(job_state_on_timer(&job, 1), JOB_DO_CREATE);
  assert_do(reply_with(&job, not_sent, 1), JOB_DO_WAIT);
  assert_do(job_state_on_timer(&job, 3), JOB_DO_CREATE);
  assert_end(&job, reply_with(&job, not_sent, 3), JOB_END_LOST);
  assert_true(job.maybe_charged);
  assert_true(job.sent);
  job = creating(&settings);
  assert_do(reply_with(&job, answer(503), 0), JOB_DO_WAIT);
  assert_do(job_state_on_timer(&job, 1), JOB_DO_CREATE);
  assert_end(&job, reply_with(&job, answer(402), 1), JOB_END_REFUSED);
  assert_true(job.maybe_charged);
}

/* Where keys are honoured all of them make the same one. */
static void a_create_before_the_last_may_have_made_another_job(void **state) {
  static const RetryMode modes[] = {RETRY_DOCUMENTED, RETRY_IDEMPOTENT};
  (void)state;
  for (size_t i = 0; i < COUNT(modes); i++) {
    JobRules chosen = settings;
    JobState job;
    chosen.retry = modes[i];
    job = creating(&chosen);
    assert_do(reply_with(&job, answer(429), 0), JOB_DO_WAIT);
    assert_do(job_state_on_timer(&job, 1), JOB_DO_CREATE);
    assert_false(job.earlier_maybe_charged);
    assert_do(reply_with(&job, answer(503), 1), JOB_DO_WAIT);
    assert_false(job.earlier_maybe_charged);
    assert_do(job_state_on_timer(&job, 4), JOB_DO_CREATE);
    assert_do(reply_with(&job, said(202, SAYS_WAITING), 4), JOB_DO_WAIT);
    assert_int_equal(job.earlier_maybe_charged, modes[i] == RETRY_DOCUMENTED);
    assert_int_equal(job.earlier_risk, modes[i] == RETRY_DOCUMENTED);
    job = new_job(JOB_MODE_GENERATE, &chosen);
    job.maybe_charged = true; /* an earlier process sent it */
    assert_do(job_state_start(&job, 0), JOB_DO_CREATE);
    assert_int_equal(job.earlier_maybe_charged, modes[i] == RETRY_DOCUMENTED);
    assert_false(job.earlier_risk);
  }
}

static void the_wish_of_the_server_is_a_floor_for_creates(void **state) {
  static const struct {
    double wish, pause;
  } rows[] = {{-1, 0.75}, {0, 0.75},  {0.2, 0.75},
              {0.8, 0.8}, {7.5, 7.5}, {60, 60}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    JobState job = creating(&settings);
    assert_rest(reply_with(&job, wish(429, rows[i].wish), 1), 1 + rows[i].pause,
                true);
  }
}

static void patience_has_an_end(void **state) {
  static const double wishes[] = {60.1, 3600, 86400};
  JobState job;
  (void)state;
  for (size_t i = 0; i < COUNT(wishes); i++) {
    job = creating(&settings);
    assert_end(&job, reply_with(&job, wish(429, wishes[i]), 1),
               JOB_END_REFUSED);
    assert_int_equal(job.attempts, 1);
  }
  job = creating(&settings); /* the wish ends past the deadline */
  assert_end(&job, reply_with(&job, wish(503, 50), 60), JOB_END_REFUSED);
}

static void an_empty_quota_ends_the_retries_of_all(void **state) {
  JobState job;
  (void)state;
  job = creating(&settings);
  quota.tokens = 9;
  assert_do(reply_with(&job, answer(503), 1), JOB_DO_WAIT);
  assert_do(job_state_on_timer(&job, 2), JOB_DO_CREATE);
  assert_end(&job, reply_with(&job, answer(503), 2), JOB_END_REFUSED);
  job = creating(&idempotent);
  quota.tokens = 9;
  assert_end(&job,
             reply_with(&job,
                        (HttpOutcome){.kind = OUTCOME_LOST,
                                      .timed_out = true,
                                      .retry_after = -1},
                        1),
             JOB_END_LOST);
  job = creating(&settings);
  quota.tokens = 9;
  assert_do(reply_with(&job, said(200, SAYS_WAITING), 1), JOB_DO_WAIT);
  assert_true(is_near(quota.tokens, 10));
}

static void the_beginning_of_an_answer_is_read(void **state) {
  HttpOutcome partial = {.kind = OUTCOME_LOST,
                         .status = 200,
                         .partial = true,
                         .named = true,
                         .retry_after = -1};
  JobState job = creating(&safe);
  (void)state;
  assert_rest(reply_with(&job, partial, 1), 3, false);
  assert_true(job.maybe_charged);
  job = creating(&settings);
  assert_rest(reply_with(&job, partial, 1), 3, false);
  job = creating(&idempotent); /* here asking again is better */
  assert_do(reply_with(&job, partial, 1), JOB_DO_WAIT);
  assert_do(job_state_on_timer(&job, 3), JOB_DO_CREATE);
  assert_do(reply_with(&job, partial, 4), JOB_DO_WAIT);
  assert_do(job_state_on_timer(&job, 7), JOB_DO_CREATE);
  assert_rest(reply_with(&job, partial, 8), 10, false); /* no attempt left */
  assert_int_equal(job.phase, PHASE_WAITING);
  job = creating(&idempotent);
  assert_rest(reply_with(&job, partial, 99.9), 100, false); /* nor time */
  job = creating(&idempotent);
  assert_rest(reply_with(&job, partial, 101), 100, false);
  assert_int_equal(job.phase, PHASE_WAITING);
  job = creating(&settings); /* and where it has no id */
  partial.named = false;
  assert_end(&job, reply_with(&job, partial, 1), JOB_END_UNUSABLE);
}

static void backing_off_fits_before_the_deadline_or_is_not_done(void **state) {
  JobState job = job_in(PHASE_CREATING);
  (void)state;
  assert_rest(reply_with(&job, not_sent, 99.2), 99.95, true);
  assert_do(job_state_on_timer(&job, 99.95), JOB_DO_CREATE);
  job = job_in(PHASE_CREATING);
  assert_end(&job, reply_with(&job, not_sent, 99.3), JOB_END_FAILED);
  job = job_in(PHASE_CREATING);
  assert_end(&job, reply_with(&job, not_sent, 100), JOB_END_TIMEOUT);
  job = job_in(PHASE_BACKING_OFF);
  assert_end(&job, job_state_on_timer(&job, 100), JOB_END_TIMEOUT);
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
