/* The engine's stand-in: see engine_double.h. */
#include "engine_double.h"

#include "fuzz.h"

#include "engine/base/redact.h"
#include "engine/core/event_count.h"
#include "engine/engine.h"
#include "engine/job/job_answer.h"
#include "engine/job/job_id.h"
#include "engine/job/job_record.h"
#include "engine/job/job_tell.h"

#include <lauxlib.h>

struct Engine {
  List events;
  Op *op; /* NULL = none, or released */
  EventCount count;
};

/* A job whose answers are read, judged and told by the engine's own code. */
typedef struct Double {
  Job job; /* first */
  JobRules settings;
  RetryQuota quota;
  double now;
} Double;

static Engine the_engine;

static Double *the_double(void) {
  return (Double *)the_engine.op;
}

/* ---- op.h, job_record.h ---- */

Event *op_event(Engine *engine, EventKind kind) {
  Event *event = calloc(1, sizeof *event);
  (void)engine;
  if (!event)
    abort();
  event->kind = kind;
  event->delay = -1;
  return event;
}

EventCount *engine_event_count(Engine *engine) {
  return &engine->count;
}

void op_post(Op *op, Event *event) {
  event->op = op;
  event->owner = op->owner;
  list_append(&the_engine.events, &event->link);
}

void op_post_idly(Op *op, Event *event) {
  op_post(op, event);
}

void op_post_newest(Op *op, Event *event, bool idly) {
  (void)idly;
  op_post(op, event);
}

static bool is_state(const char *state) {
  static const char *const states[] = {"accepted", "succeeded", "failed",
                                       "unknown", "cancelled"};
  for (size_t i = 0; i < COUNT(states); i++)
    if (strcmp(state, states[i]) == 0)
      return true;
  return false;
}

/* What the ledger would be told. */
static void see_note(const Job *job, const Answer *answer) {
  const char *charged = answer->charged ? answer->charged : "";
  if (!answer->state)
    return;
  check(is_state(answer->state), "the row's state");
  check(strcmp(charged, "no") != 0, "an answer that was free");
  check(strcmp(answer->state, "accepted") != 0 || job->id, "what is to poll?");
  check(strcmp(answer->state, "succeeded") != 0 || strcmp(charged, "yes") == 0,
        "pictures for nothing");
}

void record_answer(Job *job, const Exchange *exchange, const Answer *answer) {
  (void)exchange;
  check(answer->created, "no answer to a create");
  see_note(job, answer);
}

void record_result(Job *job, const Exchange *exchange, const Answer *answer) {
  (void)exchange;
  check(!answer->created && job->state.phase == PHASE_ENDED, "no end of a job");
  see_note(job, answer);
}

/* ---- what a job wants ---- */

static void finish(Double *op, JobEnd how) {
  Event *last = &op->job.op.last;
  tell_end(&op->job, how);
  op->job.op.ended = true;
  last->kind = EVENT_ENDED;
  last->embedded = true;
  op_post(&op->job.op, last);
}

static void act(Double *op, JobAction action) {
  switch (action.what) {
  case JOB_DO_CREATE:
    tell_bare(&op->job, EVENT_CREATING);
    break;
  case JOB_DO_WAIT:
    op->now = action.at > op->now ? action.at : op->now;
    if (action.retry)
      tell_retry(&op->job, 1);
    break;
  case JOB_DO_END:
    finish(op, action.end);
    break;
  case JOB_DO_CHECK:
  case JOB_DO_POLL:
  case JOB_DO_NOTHING:
    break;
  }
}

/* ---- engine.h ---- */

Engine *engine_open(void) {
  return &the_engine;
}

void engine_close(Engine *engine) {
  (void)engine;
}

bool engine_is_forked(Engine *engine) {
  (void)engine;
  return false;
}

unsigned engine_generation(void) {
  return 0;
}

Op *engine_job(Engine *engine, Account *account, const JobSpec *spec,
               uintptr_t owner) {
  Double *op = calloc(1, sizeof *op);
  Job *job = &op->job;
  if (!op)
    abort();
  check(!engine->op, "two jobs at once");
  engine->op = &job->op;
  job->op.engine = engine;
  job->op.owner = owner;
  job->op.account = account;
  job->op.last.delay = -1;
  job->has_listener = spec->has_listener;
  job->hearsay = spec->hearsay;
  job->earlier_paid = spec->earlier_paid;
  job->idempotency_key = spec->idempotency_key;
  job->id = spec->service_id ? strdup(spec->service_id) : NULL;
  job->earlier_id = spec->earlier_id ? strdup(spec->earlier_id) : NULL;
  job->body = spec->body ? malloc(JOB_ID_ROOM + 1) : NULL;
  op->settings = account->settings.state;
  op->quota = RETRY_QUOTA_FULL;
  op->now = 1000;
  job_state_init(&job->state, spec->mode, &op->settings, &op->quota,
                 spec->key_is_known, op->now + spec->timeout);
  job->state.check = spec->reference_count > 0;
  job->state.maybe_charged = spec->maybe_charged;
  if (job->has_listener)
    tell_bare(job, EVENT_QUEUED);
  act(op, job_state_start(&job->state, op->now));
  return &job->op;
}

void engine_cancel(Engine *engine, Op *op) {
  check(op == engine->op, "a cancel of nothing");
  if (op->cancelled)
    return;
  op->cancelled = true;
  act(the_double(), job_state_on_cancel(&the_double()->job.state, true));
}

void engine_detach(Engine *engine, Op *op) {
  engine_cancel(engine, op);
}

void engine_release(Engine *engine, Op *op) {
  Job *job = (Job *)op;
  check(op == engine->op, "a release of nothing");
  engine->op = NULL;
  failure_clear(&op->last.failure);
  free(op->last.body);
  free(job->id);
  free(job->earlier_id);
  free(job->body);
  free(job);
}

void engine_drop_account(Engine *engine, Account *account) {
  (void)engine;
  account_drop(account);
}

Event *engine_next_event(Engine *engine) {
  return (Event *)list_shift(&engine->events);
}

void engine_free_event(Engine *engine, Event *event) {
  (void)engine;
  if (event->embedded)
    return;
  failure_clear(&event->failure);
  free(event->body);
  free(event);
}

void engine_cork(Engine *engine) {
  (void)engine;
}

void engine_uncork(Engine *engine) {
  (void)engine;
}

void engine_stay_readable(Engine *engine) {
  (void)engine;
}

int engine_fd(const Engine *engine) {
  (void)engine;
  return -1;
}

void engine_wait(Engine *engine, double seconds) {
  (void)engine;
  (void)seconds;
}

Op *engine_download(Engine *engine, Account *account, const DownloadSpec *spec,
                    uintptr_t owner) {
  (void)engine;
  (void)account;
  (void)spec;
  (void)owner;
  return NULL;
}

Op *engine_write(Engine *engine, const char *path, Chunks *text, bool overwrite,
                 uintptr_t owner) {
  (void)engine;
  (void)path;
  chunks_free(text);
  (void)overwrite;
  (void)owner;
  return NULL;
}

Op *engine_note(Engine *engine, Account *account, const char *key,
                const JobNote *note, uintptr_t owner) {
  (void)engine;
  (void)account;
  (void)key;
  (void)note;
  (void)owner;
  return NULL;
}

Op *engine_tenant(Engine *engine, Account *account, const char *name,
                  const TenantChange *change, uintptr_t owner) {
  (void)engine;
  (void)account;
  (void)name;
  (void)change;
  (void)owner;
  return NULL;
}

bool engine_check_target(const FileTarget *target, Failure *failure) {
  (void)target;
  (void)failure;
  return true;
}

Op *engine_sleep(Engine *engine, double seconds, uintptr_t owner) {
  (void)engine;
  (void)seconds;
  (void)owner;
  return NULL;
}

/* ---- what Lua drives it with ---- */

/* The failure that the exchange would tell with this reply. */
static void set_failure(Failure *failure, const HttpOutcome *reply) {
  failure_clear(failure);
  if (reply->kind == OUTCOME_NOT_SENT)
    failure_set(failure, "network", "connect_failed", "refused");
  else if (reply->kind == OUTCOME_LOST)
    failure_set(failure, "network",
                reply->timed_out ? "reply_timeout" : "connection_lost",
                "cut\r\n\x1b[2J\xc2\x9b");
  else if (reply->kind == OUTCOME_HOPELESS)
    failure_set(failure, "tls", "certificate_refused", "wrong host");
}

static void on_reply(Double *op, const HttpOutcome *reply, const char *body,
                     size_t length) {
  Job *job = &op->job;
  Exchange exchange = {.service = &job->op.account->service, .reply = *reply};
  JobAction action;
  Answer answer;
  buffer_init(&exchange.body, HTTP_REPLY_MAX);
  if (length && !buffer_append(&exchange.body, body, length))
    abort();
  set_failure(&exchange.failure, reply);
  answer_read(job, &exchange, &answer);
  action = job_state_on_reply(&job->state, &exchange.reply, op->now, 0.5);
  tell_forget_failure(job);
  action = answer_settle(job, &exchange, &answer, action);
  answer_tell(job, &exchange, &answer, action);
  act(op, action);
  failure_clear(&exchange.failure);
  buffer_free(&exchange.body);
}

/* ARG: kind 0-3, status, seconds of Retry-After | -1, cut off?, body
** RES: whether the job took it: it was creating or polling */
static int f_reply(lua_State *L) {
  size_t length;
  const char *body = luaL_checklstring(L, 5, &length);
  Double *op = the_double();
  HttpOutcome reply = {.kind = (OutcomeKind)luaL_checkinteger(L, 1),
                       .retry_after = luaL_checknumber(L, 3)};
  if (reply.kind == OUTCOME_ANSWERED || reply.kind == OUTCOME_LOST)
    reply.status = (int)luaL_checkinteger(L, 2);
  reply.partial = reply.kind == OUTCOME_LOST && lua_toboolean(L, 4) &&
                  reply.status / 100 == 2 && length > 0;
  reply.timed_out = reply.kind == OUTCOME_LOST && !lua_toboolean(L, 4);
  lua_pushboolean(L, op && (op->job.state.phase == PHASE_CREATING ||
                            op->job.state.phase == PHASE_POLLING));
  if (lua_toboolean(L, -1)) {
    char *kept = memcpy(lua_newuserdata(L, length + 1), body, length);
    on_reply(op, &reply, kept,
             redact(kept, length, account_api_key(op->job.op.account)));
    lua_pop(L, 1);
  }
  return 1;
}

/* ARG: whether the reference images are usable */
static int f_checked(lua_State *L) {
  Double *op = the_double();
  bool usable = lua_toboolean(L, 1);
  if (op && op->job.state.phase == PHASE_CHECKING && !usable)
    failure_set(&op->job.op.last.failure, "validation", "reference_unreachable",
                "no image");
  if (op)
    act(op, job_state_on_checked(&op->job.state, usable, op->now));
  return 0;
}

/* ARG: seconds that pass; timers go off. */
static int f_pass(lua_State *L) {
  Double *op = the_double();
  if (!op)
    return 0;
  op->now += luaL_checknumber(L, 1);
  act(op, job_state_on_timer(&op->job.state, op->now));
  return 0;
}

/* RES: nil when there is no op | doubt, sent, ended */
static int f_known(lua_State *L) {
  const Double *op = the_double();
  if (!op)
    return 0;
  lua_pushboolean(L, op->job.state.maybe_charged);
  lua_pushboolean(L, op->job.state.sent);
  lua_pushboolean(L, op->job.op.ended);
  return 3;
}

int engine_double_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"reply", f_reply},
                                       {"checked", f_checked},
                                       {"pass", f_pass},
                                       {"known", f_known},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
