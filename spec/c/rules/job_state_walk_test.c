/*
 * Random walks through the job machine of a job, and what must hold in all
 * of them.  Half of the events fit the job, the others come at any time.
 */
#include "check.h"

#include "engine/rules/job_state.h"

#define WALKS 20000
#define STEPS 60

typedef struct Walk {
  JobState job;
  JobRules settings;
  RetryQuota quota;
  uint64_t seed;
  double now;
  bool answered; /* a create was answered or lost: it was sent */
  bool charged;  /* a create may have made a job */
  bool barred;   /* a create had a reply that the mode does not repeat */
  bool accepted; /* a create was answered with 2xx, or a beginning of it */
  bool repeated; /* the key has been sent before */
  bool spoken;   /* the last reply had a body that was read */
  bool gone;     /* the create under way was let go */
  bool ended;
  unsigned creates;
  unsigned polls;
} Walk;

static bool may_poll_from_the_start(const Walk *walk) {
  return walk->job.mode == JOB_MODE_RESUME ||
         walk->job.mode == JOB_MODE_POLL_ONCE;
}

static void see_create(Walk *walk) {
  walk->creates++;
  check(!walk->barred, "another create after one that must not be repeated");
  check(!walk->accepted, "another create after one that was accepted");
  check(walk->creates <= walk->settings.max_attempts, "too many creates");
  check(walk->now < walk->job.deadline, "a create past the deadline");
  check(!may_poll_from_the_start(walk), "a create of a known job");
  check(!walk->job.cancelled, "a create after a cancel");
  walk->gone = false;
}

static void see_poll(Walk *walk) {
  walk->polls++;
  check(walk->accepted || may_poll_from_the_start(walk), "a poll too early");
  check(walk->now < walk->job.deadline, "a poll past the deadline");
}

/* The ends that an answer with a body brings. */
static bool is_answered(JobEnd end) {
  return end == JOB_END_SUCCEEDED || end == JOB_END_FAILURE ||
         end == JOB_END_ACCEPTED || end == JOB_END_UNUSABLE;
}

/* Looks at one action. */
static void see(Walk *walk, JobAction action) {
  const JobState *job = &walk->job;
  check(!walk->ended || action.what == JOB_DO_NOTHING, "it ended twice");
  switch (action.what) {
  case JOB_DO_CREATE:
    see_create(walk);
    break;
  case JOB_DO_POLL:
    see_poll(walk);
    break;
  case JOB_DO_WAIT:
    check(action.at <= job->deadline, "a rest past the deadline");
    check(action.at > walk->now || action.at >= job->deadline, "no rest");
    check(action.at <= walk->now + 61 || job->phase == PHASE_HELD,
          "a rest of more than 61 s");
    break;
  case JOB_DO_END:
    walk->ended = true;
    check(action.end != JOB_END_FAILED || !job->maybe_charged,
          "failed, but paid?");
    check(action.end != JOB_END_LOST || job->maybe_charged,
          "lost, without a doubt");
    check(!is_answered(action.end) || walk->spoken, "an answer out of nothing");
    check(action.end != JOB_END_ACCEPTED || job->mode == JOB_MODE_CREATE_ONLY ||
              job->mode == JOB_MODE_POLL_ONCE,
          "it is not over");
    break;
  case JOB_DO_CHECK:
  case JOB_DO_NOTHING:
    break;
  }
  check(job->attempts == walk->creates, "creates are counted wrong");
  check(job->polls == walk->polls, "polls are counted wrong");
  check(job->sent == walk->answered, "sent is wrong");
  check(job->maybe_charged == walk->charged, "doubt is wrong");
  check(walk->quota.tokens >= 0 && walk->quota.tokens <= 500, "the quota");
  check((job->phase == PHASE_ENDED) == walk->ended, "ended, but not told");
}

static HttpOutcome random_reply(Walk *walk) {
  static const int statuses[] = {200, 200, 200, 202, 202, 202, 201, 301,
                                 400, 401, 402, 404, 404, 404, 408, 409,
                                 409, 410, 429, 429, 500, 501, 503, 504};
  static const OutcomeKind kinds[] = {
      OUTCOME_ANSWERED, OUTCOME_ANSWERED, OUTCOME_ANSWERED, OUTCOME_NOT_SENT,
      OUTCOME_NOT_SENT, OUTCOME_HELD,     OUTCOME_LOST,     OUTCOME_HOPELESS};
  HttpOutcome reply = {.kind = kinds[random_below(&walk->seed, COUNT(kinds))],
                       .retry_after = -1};
  if (walk->job.phase == PHASE_CREATING && walk->gone) /* it cannot be */
    reply.kind =
        reply.kind == OUTCOME_ANSWERED ? OUTCOME_ANSWERED : OUTCOME_LOST;
  if (reply.kind == OUTCOME_ANSWERED)
    reply.status = statuses[random_below(&walk->seed, COUNT(statuses))];
  if (random_below(&walk->seed, 4) == 0)
    reply.retry_after = random_unit(&walk->seed) * 80;
  reply.timed_out =
      reply.kind == OUTCOME_LOST && random_below(&walk->seed, 2) == 0;
  reply.partial =
      reply.kind == OUTCOME_LOST && random_below(&walk->seed, 4) == 0;
  walk->spoken = reply.partial || reply.status / 100 == 2;
  if (walk->spoken)
    reply.says = (BodySays)random_below(&walk->seed, SAYS_FAILED + 1);
  reply.named = walk->spoken && random_below(&walk->seed, 8) > 0;
  return reply;
}

/* What the design's table says of this reply, told in other words than the
 * code's. */
static bool is_repeatable(const Walk *walk, const HttpOutcome *reply) {
  RetryMode mode = walk->settings.retry;
  if (reply->kind == OUTCOME_NOT_SENT || reply->kind == OUTCOME_HELD)
    return true;
  if (reply->kind != OUTCOME_ANSWERED)
    return reply->kind == OUTCOME_LOST && mode == RETRY_IDEMPOTENT;
  switch (reply->status) {
  case 429:
    return true;
  case 409:
    return walk->repeated;
  case 408:
  case 500:
  case 502:
  case 503:
  case 504:
    return mode != RETRY_SAFE;
  default:
    return false;
  }
}

static void note_create(Walk *walk, const HttpOutcome *reply) {
  bool answered = reply->kind == OUTCOME_ANSWERED;
  bool lost = reply->kind == OUTCOME_LOST;
  int status = reply->status;
  if (reply->kind == OUTCOME_HELD) /* that was no create */
    walk->creates--;
  walk->answered = walk->answered || answered || lost;
  walk->charged =
      walk->charged || lost ||
      (answered && (status / 100 == 2 || status / 100 == 3 || status == 408 ||
                    status == 409 || status / 100 == 5));
  walk->accepted = (answered && status / 100 == 2) ||
                   (reply->partial && walk->settings.retry != RETRY_IDEMPOTENT);
  walk->barred = !is_repeatable(walk, reply) ||
                 (reply->kind != OUTCOME_HELD && reply->retry_after > 60);
  walk->repeated = walk->repeated || (reply->kind != OUTCOME_NOT_SENT &&
                                      reply->kind != OUTCOME_HELD);
}

static void give_reply(Walk *walk) {
  HttpOutcome reply = random_reply(walk);
  JobAction action;
  if (walk->job.phase == PHASE_CREATING)
    note_create(walk, &reply);
  action = job_state_on_reply(&walk->job, &reply, walk->now,
                              random_unit(&walk->seed));
  if (reply.partial && walk->job.created > 0) /* not asked for again */
    walk->accepted = true;
  see(walk, action);
}

/* A cancel while nothing is on its way ends the job at once, and no create
 * goes out after it. */
static void give_cancel(Walk *walk) {
  bool creating = walk->job.phase == PHASE_CREATING;
  JobAction action = job_state_on_cancel(&walk->job, walk->gone);
  check(walk->ended || (creating && walk->gone) ||
            (action.what == JOB_DO_END && action.end == JOB_END_CANCELLED),
        "a cancel that ends nothing");
  check(!(creating && walk->gone) || action.what == JOB_DO_NOTHING,
        "a create that may have left is torn");
  see(walk, action);
}

/* One event of a kind: 0 start, 1 checked, 2 reply, 3 timer, 4 ready. */
static void give(Walk *walk, unsigned kind) {
  switch (kind) {
  case 0:
    see(walk, job_state_start(&walk->job, walk->now));
    break;
  case 1:
    see(walk, job_state_on_checked(&walk->job, random_below(&walk->seed, 4) > 0,
                                   walk->now));
    break;
  case 2:
    give_reply(walk);
    break;
  case 3:
    see(walk, job_state_on_timer(&walk->job, walk->now));
    break;
  default:
    see(walk, job_state_on_ready(&walk->job, walk->now));
  }
}

/* What it asked for waits for a place in front of libcurl, to the deadline. */
static void give_overdue(Walk *walk) {
  if (walk->gone) /* it does not wait */
    return;
  walk->creates -= walk->job.phase == PHASE_CREATING;
  walk->polls -= walk->job.phase == PHASE_POLLING;
  see(walk, job_state_on_overdue(&walk->job));
}

static unsigned fitting_kind(JobPhase job) {
  static const unsigned kinds[] = {
      [PHASE_QUEUED] = 0,  [PHASE_CHECKING] = 1,    [PHASE_CREATING] = 2,
      [PHASE_HELD] = 4,    [PHASE_BACKING_OFF] = 3, [PHASE_WAITING] = 3,
      [PHASE_POLLING] = 2, [PHASE_ENDED] = 3};
  return kinds[job];
}

static void one_walk(Walk *walk) {
  JobMode mode = (JobMode)random_below(&walk->seed, 4);
  double room = random_unit(&walk->seed) * 120;
  walk->settings = (JobRules){.retry = (RetryMode)random_below(&walk->seed, 3),
                              .max_attempts = 1 + random_below(&walk->seed, 5),
                              .poll = {random_unit(&walk->seed) * 4,
                                       0.01 + random_unit(&walk->seed),
                                       1 + random_unit(&walk->seed) * 9}};
  walk->now = random_unit(&walk->seed) * 1000;
  walk->quota.tokens = random_unit(&walk->seed) * 60;
  walk->repeated = random_below(&walk->seed, 4) == 0;
  job_state_init(&walk->job, mode, &walk->settings, &walk->quota,
                 walk->repeated, walk->now + room);
  walk->job.check = mode == JOB_MODE_GENERATE && random_below(&walk->seed, 2);
  for (unsigned step = 0; step < STEPS; step++) {
    bool fits = random_below(&walk->seed, 2) == 0;
    walk->now += random_unit(&walk->seed) * random_below(&walk->seed, 6);
    if (walk->job.phase == PHASE_CREATING && random_below(&walk->seed, 2))
      walk->gone = true;
    if (random_below(&walk->seed, 60) == 0)
      give_cancel(walk);
    if (random_below(&walk->seed, 100) == 0)
      give_overdue(walk);
    give(walk,
         fits ? fitting_kind(walk->job.phase) : random_below(&walk->seed, 5));
  }
}

static void no_walk_pays_twice_or_outlives_its_end(void **state) {
  unsigned ended = 0;
  unsigned polled = 0;
  uint64_t seed = 2025;
  (void)state;
  for (unsigned i = 0; i < WALKS; i++) {
    Walk walk = {.seed = random_bits(&seed) | 1};
    one_walk(&walk);
    ended += walk.ended;
    polled += walk.polls > 3;
  }
  assert_true(ended > WALKS / 2); /* the walks go somewhere */
  assert_true(polled > WALKS / 50);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_walk_pays_twice_or_outlives_its_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
