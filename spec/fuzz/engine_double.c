/* The engine's stand-in: see engine_double.h. */
#include "engine_double.h"

#include "fuzz.h"

#include "engine/base/secret.h"
#include "engine/engine.h"
#include "engine/job/job_answer.h"
#include "engine/job/job_id.h"
#include "engine/job/job_record.h"
#include "engine/job/job_tell.h"
#include "engine/work/event_pool.h"

#include <lauxlib.h>

struct Engine {
  List events;
  Work *work; /* NULL = none, or released */
  EventPool pool;
};

/* A job whose answers are read, judged and told by the engine's own code. */
typedef struct Double {
  Job job; /* first */
  FlowSettings settings;
  RetryQuota quota;
  double now;
} Double;

static Engine the_engine;

static Double *the_double(void) {
  return (Double *)the_engine.work;
}

/* ---- work.h, job_record.h ---- */

Event *work_event(Engine *engine, EventKind kind) {
  Event *event = calloc(1, sizeof *event);
  (void)engine;
  if (!event)
    abort();
  event->kind = kind;
  event->delay = -1;
  return event;
}

EventPool *engine_pool(Engine *engine) {
  return &engine->pool;
}

void work_post(Work *work, Event *event) {
  event->work = work;
  event->owner = work->owner;
  list_append(&the_engine.events, &event->link);
}

void work_post_idly(Work *work, Event *event) {
  work_post(work, event);
}

void work_post_newest(Work *work, Event *event, bool idly) {
  (void)idly;
  work_post(work, event);
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
  check(!answer->created && job->flow.state == FLOW_ENDED, "no end of a job");
  see_note(job, answer);
}

/* ---- what a flow wants ---- */

static void finish(Double *work, FlowEnd how) {
  Event *last = &work->job.work.last;
  tell_end(&work->job, how);
  work->job.work.ended = true;
  last->kind = EVENT_ENDED;
  last->embedded = true;
  work_post(&work->job.work, last);
}

static void act(Double *work, FlowAction action) {
  switch (action.what) {
  case FLOW_DO_CREATE:
    tell_bare(&work->job, EVENT_CREATING);
    break;
  case FLOW_DO_REST:
    work->now = action.at > work->now ? action.at : work->now;
    if (action.retry)
      tell_retry(&work->job, 1);
    break;
  case FLOW_DO_END:
    finish(work, action.end);
    break;
  case FLOW_DO_CHECK:
  case FLOW_DO_POLL:
  case FLOW_DO_NOTHING:
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

bool engine_is_forked(const Engine *engine) {
  (void)engine;
  return false;
}

Work *engine_job(Engine *engine, Account *account, const JobSpec *spec,
                 uintptr_t owner) {
  Double *work = calloc(1, sizeof *work);
  Job *job = &work->job;
  if (!work)
    abort();
  check(!engine->work, "two jobs at once");
  engine->work = &job->work;
  job->work.engine = engine;
  job->work.owner = owner;
  job->work.account = account;
  job->work.last.delay = -1;
  job->has_listener = spec->has_listener;
  job->hearsay = spec->hearsay;
  job->earlier_paid = spec->earlier_paid;
  job->key = spec->key;
  job->id = spec->service_id ? strdup(spec->service_id) : NULL;
  job->earlier_id = spec->earlier_id ? strdup(spec->earlier_id) : NULL;
  job->body = spec->body ? malloc(JOB_ID_ROOM + 1) : NULL;
  work->settings = account->settings.flow;
  work->quota = RETRY_QUOTA_FULL;
  work->now = 1000;
  flow_init(&job->flow, spec->mode, &work->settings, &work->quota,
            spec->key_is_known, work->now + spec->timeout);
  job->flow.check = spec->reference_count > 0;
  job->flow.doubt = spec->doubt;
  if (job->has_listener)
    tell_bare(job, EVENT_QUEUED);
  act(work, flow_start(&job->flow, work->now));
  return &job->work;
}

void engine_cancel(Engine *engine, Work *work) {
  check(work == engine->work, "a cancel of nothing");
  if (work->cancelled)
    return;
  work->cancelled = true;
  act(the_double(), flow_on_cancel(&the_double()->job.flow, true));
}

void engine_detach(Engine *engine, Work *work) {
  engine_cancel(engine, work);
}

void engine_release(Engine *engine, Work *work) {
  Job *job = (Job *)work;
  check(work == engine->work, "a release of nothing");
  engine->work = NULL;
  failure_clear(&work->last.failure);
  free(work->last.body);
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

void engine_gather(Engine *engine, bool on) {
  (void)engine, (void)on;
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

Work *engine_download(Engine *engine, Account *account,
                      const DownloadSpec *spec, uintptr_t owner) {
  (void)engine;
  (void)account;
  (void)spec;
  (void)owner;
  return NULL;
}

Work *engine_write(Engine *engine, const char *path, Text *text, bool overwrite,
                   uintptr_t owner) {
  (void)engine;
  (void)path;
  text_free(text);
  (void)overwrite;
  (void)owner;
  return NULL;
}

Work *engine_note(Engine *engine, Account *account, const char *key,
                  const JobNote *note, uintptr_t owner) {
  (void)engine;
  (void)account;
  (void)key;
  (void)note;
  (void)owner;
  return NULL;
}

bool engine_check_target(const FileTarget *target, Failure *failure) {
  (void)target;
  (void)failure;
  return true;
}

Work *engine_sleep(Engine *engine, double seconds, uintptr_t owner) {
  (void)engine;
  (void)seconds;
  (void)owner;
  return NULL;
}

/* ---- what Lua drives it with ---- */

/* The failure that the exchange would tell with this reply. */
static void set_failure(Failure *failure, const Reply *reply) {
  failure_clear(failure);
  if (reply->kind == REPLY_NOT_SENT)
    failure_set(failure, "network", "connect_failed", "refused");
  else if (reply->kind == REPLY_LOST)
    failure_set(failure, "network",
                reply->timed_out ? "reply_timeout" : "connection_lost",
                "cut\r\n\x1b[2J\xc2\x9b");
  else if (reply->kind == REPLY_HOPELESS)
    failure_set(failure, "tls", "certificate_refused", "wrong host");
}

static void on_reply(Double *work, const Reply *reply, const char *body,
                     size_t length) {
  Job *job = &work->job;
  Exchange exchange = {.service = &job->work.account->service, .reply = *reply};
  FlowAction action;
  Answer answer;
  buffer_init(&exchange.body, HTTP_REPLY_MAX);
  if (length && !buffer_append(&exchange.body, body, length))
    abort();
  set_failure(&exchange.failure, reply);
  answer_read(job, &exchange, &answer);
  action = flow_on_reply(&job->flow, &exchange.reply, work->now, 0.5);
  tell_forget_failure(job);
  action = answer_settle(job, &exchange, &answer, action);
  answer_tell(job, &exchange, &answer, action);
  act(work, action);
  failure_clear(&exchange.failure);
  buffer_free(&exchange.body);
}

/* ARG: kind 0-3, status, seconds of Retry-After | -1, cut off?, body
** RES: whether the job took it: it was creating or polling */
static int f_reply(lua_State *L) {
  size_t length;
  const char *body = luaL_checklstring(L, 5, &length);
  Double *work = the_double();
  Reply reply = {.kind = (ReplyKind)luaL_checkinteger(L, 1),
                 .retry_after = luaL_checknumber(L, 3)};
  if (reply.kind == REPLY_ANSWERED || reply.kind == REPLY_LOST)
    reply.status = (int)luaL_checkinteger(L, 2);
  reply.partial = reply.kind == REPLY_LOST && lua_toboolean(L, 4) &&
                  reply.status / 100 == 2 && length > 0;
  reply.timed_out = reply.kind == REPLY_LOST && !lua_toboolean(L, 4);
  lua_pushboolean(L, work && (work->job.flow.state == FLOW_CREATING ||
                              work->job.flow.state == FLOW_POLLING));
  if (lua_toboolean(L, -1)) {
    char *kept = memcpy(lua_newuserdata(L, length + 1), body, length);
    on_reply(work, &reply, kept,
             secret_hide(kept, length, account_key(work->job.work.account)));
    lua_pop(L, 1);
  }
  return 1;
}

/* ARG: whether the reference images are usable */
static int f_checked(lua_State *L) {
  Double *work = the_double();
  bool usable = lua_toboolean(L, 1);
  if (work && work->job.flow.state == FLOW_CHECKING && !usable)
    failure_set(&work->job.work.last.failure, "validation",
                "reference_unreachable", "no image");
  if (work)
    act(work, flow_on_checked(&work->job.flow, usable, work->now));
  return 0;
}

/* ARG: seconds that pass; timers go off. */
static int f_pass(lua_State *L) {
  Double *work = the_double();
  if (!work)
    return 0;
  work->now += luaL_checknumber(L, 1);
  act(work, flow_on_timer(&work->job.flow, work->now));
  return 0;
}

/* RES: nil when there is no work | doubt, sent, ended */
static int f_known(lua_State *L) {
  const Double *work = the_double();
  if (!work)
    return 0;
  lua_pushboolean(L, work->job.flow.doubt);
  lua_pushboolean(L, work->job.flow.sent);
  lua_pushboolean(L, work->job.work.ended);
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
