/*
 * The life of a job (job_state.c, policy.c), driven by what the input says:
 * replies, timers and cancels in any order.  After each, what must hold for
 * every job is looked at: no create too many, none after a doubt that its mode
 * does not allow, no money forgotten, nothing past the deadline, one end.
 */
#include "fuzz.h"

#include "engine/rules/job_state.h"

#include <math.h>

typedef struct Walk {
  JobState state;
  JobRules settings;
  RetryQuota quota;
  Input input;
  double now;
  double full;        /* tokens at the start */
  bool sent;          /* a create may have reached the service */
  bool maybe_charged; /* a create may have made a job */
  bool barred;        /* its mode does not allow another create */
  bool accepted;      /* a create was answered with 2xx */
  bool begun;    /* the last one was answered with the beginning of a 2xx */
  bool spoken;   /* the last reply has a body that was read */
  bool repeated; /* the key has been sent before */
  bool gone;     /* the create under way was let go */
  bool cancelled;
  bool ended;
  unsigned creates;
  unsigned polls;
} Walk;

static bool knows_id(const Walk *walk) {
  return walk->state.mode == JOB_MODE_RESUME ||
         walk->state.mode == JOB_MODE_POLL_ONCE;
}

static void see_create(Walk *walk) {
  walk->creates++;
  check(!walk->barred, "another create after a reply that forbids it");
  check(!walk->accepted, "another create after one that was accepted");
  check(!walk->maybe_charged || walk->settings.retry != RETRY_SAFE ||
            walk->repeated,
        "another create after a doubt");
  check(walk->creates <= walk->settings.max_attempts, "too many creates");
  check(walk->now < walk->state.deadline, "a create past the deadline");
  check(!knows_id(walk), "a create of a known job");
  check(!walk->cancelled, "a create after a cancel");
  walk->gone = false;
}

static void see_poll(Walk *walk) {
  walk->polls++;
  check(walk->accepted || walk->begun || knows_id(walk),
        "a poll of an unknown job");
  check(walk->now < walk->state.deadline, "a poll past the deadline");
  check(!walk->cancelled, "a poll after a cancel");
}

static void see_rest(const Walk *walk, JobAction action) {
  double deadline = walk->state.deadline;
  check(!isnan(action.at) && action.at <= deadline, "a rest past the deadline");
  check(action.at > walk->now || action.at >= deadline, "no rest");
  check(action.at <= walk->now + POLICY_PATIENCE + 1 ||
            walk->state.phase == PHASE_HELD,
        "a rest too long");
}

static void see_end(Walk *walk, JobAction action) {
  JobEnd how = action.end;
  walk->ended = true;
  check(how != JOB_END_FAILED || !walk->maybe_charged,
        "failed, but perhaps paid");
  check(how != JOB_END_REFERENCE || !walk->sent, "a late look at references");
  check(how != JOB_END_LOST || walk->maybe_charged, "lost without a doubt");
  check(how != JOB_END_LOST || !walk->accepted, "lost, but accepted");
  check(how != JOB_END_LOST || !walk->begun, "lost, but half an answer");
  check(how != JOB_END_CANCELLED || walk->cancelled, "who cancelled?");
  check((how != JOB_END_SUCCEEDED && how != JOB_END_FAILURE &&
         how != JOB_END_ACCEPTED && how != JOB_END_UNUSABLE) ||
            walk->spoken,
        "an answer out of nothing");
  check(how != JOB_END_TIMEOUT || walk->now >= walk->state.deadline,
        "a timeout before its time");
}

/* Looks at one action, and at the state after it. */
static void see(Walk *walk, JobAction action) {
  const JobState *state = &walk->state;
  check(!walk->ended || action.what == JOB_DO_NOTHING, "it ended twice");
  switch (action.what) {
  case JOB_DO_CREATE:
    see_create(walk);
    break;
  case JOB_DO_POLL:
    see_poll(walk);
    break;
  case JOB_DO_WAIT:
    see_rest(walk, action);
    break;
  case JOB_DO_END:
    see_end(walk, action);
    break;
  case JOB_DO_CHECK:
    check(state->check && walk->creates == 0, "a look at references too late");
    break;
  case JOB_DO_NOTHING:
    break;
  }
  check(state->attempts == walk->creates, "creates are counted wrong");
  check(state->polls == walk->polls, "polls are counted wrong");
  check(state->sent == walk->sent, "sent is wrong");
  check(state->maybe_charged == walk->maybe_charged, "doubt is wrong");
  check((state->phase == PHASE_ENDED) == walk->ended, "ended, but not told");
  check(walk->quota.tokens >= 0 && walk->quota.tokens <= walk->full + 1,
        "the quota is %f", walk->quota.tokens);
}

static HttpOutcome read_reply(Walk *walk) {
  static const int statuses[] = {200, 202, 201, 204, 301, 400, 401, 402,
                                 403, 404, 408, 409, 410, 422, 425, 429,
                                 500, 501, 502, 503, 504, 529, 100, 0};
  unsigned bits = input_byte(&walk->input);
  HttpOutcome reply = {.kind = (OutcomeKind)(bits & 3), .retry_after = -1};
  reply.timed_out = reply.kind != OUTCOME_ANSWERED && (bits & 4);
  reply.partial = reply.kind == OUTCOME_LOST && (bits & 8);
  if (reply.kind == OUTCOME_HOPELESS && (bits & 8))
    reply.kind = OUTCOME_HELD;
  if (walk->state.phase == PHASE_CREATING && walk->gone &&
      reply.kind != OUTCOME_ANSWERED) /* it cannot be */
    reply.kind = OUTCOME_LOST;
  if (bits & 16)
    reply.retry_after = input_byte(&walk->input);
  if (bits & 32)
    reply.retry_after *= 340; /* up to a day */
  if (reply.kind == OUTCOME_ANSWERED || (bits & 64))
    reply.status = statuses[input_byte(&walk->input) % COUNT(statuses)];
  walk->spoken = reply.partial ||
                 (reply.kind == OUTCOME_ANSWERED && reply.status / 100 == 2);
  if (walk->spoken) {
    bits = input_byte(&walk->input);
    reply.says = (BodySays)((bits & 7) % (SAYS_FAILED + 1));
    reply.named = bits & 56;
  }
  return reply;
}

/* The table of the design, in other words than policy.c's. */
static bool is_repeatable(const Walk *walk, const HttpOutcome *reply) {
  RetryMode mode = walk->settings.retry;
  int status = reply->status;
  if (reply->kind == OUTCOME_NOT_SENT || reply->kind == OUTCOME_HELD)
    return true;
  if (reply->kind == OUTCOME_LOST)
    return mode == RETRY_IDEMPOTENT;
  if (reply->kind == OUTCOME_HOPELESS)
    return false;
  if (status == 429 || (status == 409 && walk->repeated))
    return true;
  return mode != RETRY_SAFE &&
         (status == 408 || (status >= 500 && status <= 504 && status != 501));
}

static bool makes_doubt(const HttpOutcome *reply) {
  int status = reply->status;
  if (reply->kind == OUTCOME_LOST)
    return true;
  return reply->kind == OUTCOME_ANSWERED &&
         (status < 400 || status == 408 || status == 409 || status >= 500);
}

static void note_create(Walk *walk, const HttpOutcome *reply) {
  bool answered = reply->kind == OUTCOME_ANSWERED;
  bool held = reply->kind == OUTCOME_HELD;
  walk->sent = walk->sent || answered || reply->kind == OUTCOME_LOST;
  walk->maybe_charged = walk->maybe_charged || makes_doubt(reply);
  walk->accepted = answered && reply->status / 100 == 2;
  walk->begun = reply->partial;
  if (held) /* that was no create */
    walk->creates--;
  walk->barred = !is_repeatable(walk, reply) || walk->barred ||
                 (!held && reply->retry_after > POLICY_PATIENCE);
  walk->repeated = walk->repeated || (reply->kind != OUTCOME_NOT_SENT && !held);
}

static void give_reply(Walk *walk) {
  HttpOutcome reply = read_reply(walk);
  double random = input_unit(&walk->input);
  if (walk->state.phase == PHASE_CREATING)
    note_create(walk, &reply);
  see(walk, job_state_on_reply(&walk->state, &reply, walk->now, random));
}

static void give_cancel(Walk *walk) {
  bool torn = walk->state.phase == PHASE_CREATING && walk->gone;
  JobAction action = job_state_on_cancel(&walk->state, walk->gone);
  check(walk->ended || torn == (action.what == JOB_DO_NOTHING),
        "a cancel ends what did not leave, and nothing else");
  walk->cancelled = walk->cancelled || !walk->ended;
  see(walk, action);
}

static void give_event(Walk *walk) {
  unsigned event = input_byte(&walk->input);
  walk->now += (event >> 4) * (event & 8 ? 4.0 : 0.25);
  switch (event & 7) {
  case 0:
    see(walk, job_state_start(&walk->state, walk->now));
    see(walk, job_state_on_ready(&walk->state, walk->now));
    break;
  case 1:
    see(walk, job_state_on_checked(&walk->state, input_byte(&walk->input) & 1,
                                   walk->now));
    break;
  case 2:
  case 3:
  case 5:
  case 6:
    give_reply(walk);
    break;
  case 4:
    see(walk, job_state_on_timer(&walk->state, walk->now));
    break;
  default:
    if (event & 128)
      walk->gone = walk->state.phase == PHASE_CREATING;
    else
      give_cancel(walk);
  }
}

static void set_up(Walk *walk) {
  Input *input = &walk->input;
  unsigned bits = input_byte(input);
  double room = input_byte(input) * (bits & 128 ? 4.0 : 0.5);
  walk->settings =
      (JobRules){.retry = (RetryMode)((bits >> 2 & 3) % 3),
                 .max_attempts = 1 + (bits >> 4 & 3),
                 .poll = {.first = (1 + input_byte(input)) / 32.0,
                          .interval = 0.01 + input_byte(input) / 64.0,
                          .max = 1 + input_byte(input) / 16.0}};
  walk->repeated = bits & 64;
  walk->full = walk->quota.tokens = input_byte(input);
  walk->now = 1000;
  job_state_init(&walk->state, (JobMode)(bits & 3), &walk->settings,
                 &walk->quota, walk->repeated,
                 room > 1000 ? INFINITY : walk->now + room);
  walk->state.check = !knows_id(walk) && (input_byte(input) & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Walk walk = {.input = {data, data + size}};
  set_up(&walk);
  while (walk.input.at < walk.input.end)
    give_event(&walk);
  /* Left alone, every job with a deadline ends. */
  if (isinf(walk.state.deadline))
    return 0;
  walk.now = walk.state.deadline;
  for (int i = 0; i < 3 && !walk.ended; i++) {
    HttpOutcome reply = {.kind = OUTCOME_NOT_SENT, .retry_after = -1};
    if (walk.state.phase == PHASE_CREATING)
      note_create(&walk, &reply);
    see(&walk, job_state_on_reply(&walk.state, &reply, walk.now, 0));
    see(&walk, job_state_on_checked(&walk.state, true, walk.now));
    see(&walk, job_state_on_timer(&walk.state, walk.now));
  }
  check(walk.ended, "it outlives its deadline");
  return 0;
}
