/* The engine's stand-in: see engine_double.h. */
#include "engine_double.h"

#include "fuzz.h"

#include "engine/decode.h"
#include "engine/engine.h"
#include "engine/secret.h"
#include "engine/url.h"

#include <lauxlib.h>
#include <math.h>

struct Work {
  Account *account;
  Flow flow;
  FlowSettings settings;
  RetryQuota quota;
  double now;
  uintptr_t owner;
  char *told; /* the last body, NULL = none */
  size_t told_length;
  Event last;
  bool narrate;
  char id[JOB_ID_MAX + 1]; /* that the host has not read; "" = none */
  bool named;              /* it has an id to poll */
  bool asked;              /* a body waits for its verdict */
  bool cancelled;          /* by the host */
  bool ended;
};

struct Engine {
  List events;
  Work *work; /* NULL = none, or released */
};

static Engine the_engine;
static bool has_ledger; /* the answer to a create waits for the host */

static void act(Work *work, FlowAction action);

/* ---- events ---- */

static Event *make_event(EventKind kind) {
  Event *event = calloc(1, sizeof *event);
  if (!event)
    abort();
  event->kind = kind;
  event->delay = -1;
  return event;
}

static void post(Work *work, Event *event) {
  event->work = work;
  event->owner = work->owner;
  event->id = work->id[0] ? work->id : NULL;
  event->attempts = work->flow.attempts;
  event->polls = work->flow.polls;
  event->sent = work->flow.sent;
  event->doubt = work->flow.doubt;
  event->risked = work->flow.risked;
  list_append(&the_engine.events, &event->link);
}

static void set_body(Event *event, const char *body, size_t length) {
  free(event->body);
  event->body = NULL;
  event->body_length = length;
  if (!length)
    return;
  event->body = malloc(length + 1);
  if (!event->body)
    abort();
  memcpy(event->body, body, length);
  event->body[length] = '\0';
}

static void finish(Work *work, FlowEnd how) {
  Failure *failure = &work->last.failure;
  work->ended = true;
  work->last.kind = EVENT_ENDED;
  work->last.embedded = true;
  work->last.end = how;
  if (how == FLOW_END_TIMEOUT)
    failure_set(failure, "timeout", "deadline_passed", "the timeout ran out");
  else if (how == FLOW_END_CANCELLED)
    failure_set(failure, "cancelled", "cancelled", "cancelled");
  else if (how == FLOW_END_LOST && failure->kind &&
           strcmp(failure->kind, "protocol") != 0)
    failure->kind = "lost";
  post(work, &work->last);
}

static void act(Work *work, FlowAction action) {
  switch (action.what) {
  case FLOW_DO_CREATE:
    post(work, make_event(EVENT_CREATING));
    break;
  case FLOW_DO_REST:
    work->now = action.at > work->now ? action.at : work->now;
    if (action.retry && work->narrate) {
      Event *event = make_event(EVENT_RETRY);
      event->delay = 1;
      event->status = work->last.status;
      failure_set(&event->failure, "server", "http_status", "HTTP status %d",
                  event->status);
      post(work, event);
    }
    break;
  case FLOW_DO_END:
    finish(work, action.end);
    break;
  case FLOW_DO_CHECK:
  case FLOW_DO_POLL:
  case FLOW_DO_ASK:
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
  Work *work = calloc(1, sizeof *work);
  if (!work)
    abort();
  check(!engine->work, "two jobs at once");
  engine->work = work;
  work->owner = owner;
  work->account = account;
  work->settings = account->settings.flow;
  work->quota = RETRY_QUOTA_FULL;
  work->narrate = spec->narrate;
  work->named = spec->service_id != NULL;
  work->now = 1000;
  work->last.delay = -1;
  flow_init(&work->flow, spec->mode, &work->settings, &work->quota,
            spec->key_is_known, work->now + spec->timeout);
  work->flow.check = spec->reference_count > 0;
  work->flow.doubt = spec->doubt;
  if (work->narrate)
    post(work, make_event(EVENT_QUEUED));
  act(work, flow_start(&work->flow, work->now));
  return work;
}

bool engine_judge(Engine *engine, Work *work, FlowVerdict verdict,
                  const char *service_id, const JobNote *note) {
  check(work == engine->work && work->asked, "a verdict nobody asked for");
  check(!note->job_id || strlen(note->job_id) <= JOB_ID_MAX,
        "the id for the ledger");
  work->asked = false;
  if (work->cancelled)
    verdict = FLOW_VERDICT_AGAIN;
  work->named = work->named || service_id;
  if (verdict == FLOW_VERDICT_FINAL) {
    engine_release(engine, work);
    return true;
  }
  if (!work->named && work->flow.state != FLOW_ENDED) {
    check(work->cancelled || work->flow.doubt, "go on with what?");
    failure_set(&work->last.failure, "lost", "reply_not_read", "not read");
    work->flow.state = FLOW_ENDED;
    finish(work, work->cancelled ? FLOW_END_CANCELLED : FLOW_END_LOST);
    return false;
  }
  act(work, flow_on_verdict(&work->flow, verdict, work->now, 0.5));
  return false;
}

void engine_cancel(Engine *engine, Work *work) {
  check(work == engine->work, "a cancel of nothing");
  if (work->cancelled)
    return;
  work->cancelled = true;
  act(work, flow_on_cancel(&work->flow, true));
}

void engine_leave(Engine *engine, Work *work) {
  engine_cancel(engine, work);
}

void engine_release(Engine *engine, Work *work) {
  check(work == engine->work, "a release of nothing");
  engine->work = NULL;
  failure_clear(&work->last.failure);
  free(work->last.body);
  free(work->told);
  free(work);
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
                  const JobNote *note, unsigned n, const char *path,
                  uintptr_t owner) {
  (void)engine;
  (void)account;
  (void)key;
  (void)note;
  (void)n;
  (void)path;
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

static void hand_up(Work *work, bool created, const Reply *reply,
                    const char *body, size_t length) {
  Event *event = make_event(EVENT_REPLY);
  event->created = created;
  event->status = reply->status;
  set_failure(&event->failure, reply);
  set_body(event, body, length);
  work->asked = true;
  post(work, event);
}

/* A 202 that is not the last one told. */
static void tell_status(Work *work, const char *body, size_t length) {
  Event *event;
  if (work->told && work->told_length == length &&
      memcmp(work->told, body, length) == 0)
    return;
  free(work->told);
  work->told = malloc(length + 1);
  if (!work->told)
    abort();
  memcpy(work->told, body, length);
  work->told_length = length;
  event = make_event(EVENT_STATUS);
  event->status = 202;
  set_body(event, body, length);
  post(work, event);
}

/* The answer to a create that says no more than that the job waits. */
static bool go_on(Work *work, const Reply *reply, const char *body,
                  size_t length) {
  JsonPiece id = decode_waiting(body, length);
  Event *event;
  if (work->flow.mode != FLOW_GENERATE || has_ledger || reply->partial ||
      !id.at)
    return false;
  check(decode_copy_id(&id, work->id) <= JOB_ID_MAX, "an id that does not fit");
  work->named = true;
  event = make_event(EVENT_CREATED);
  event->status = reply->status;
  set_body(event, body, length);
  post(work, event);
  act(work, flow_on_verdict(&work->flow, FLOW_VERDICT_AGAIN, work->now, 0.5));
  return true;
}

static void on_reply(Work *work, Reply *reply, const char *body,
                     size_t length) {
  bool created = work->flow.state == FLOW_CREATING;
  FlowAction action;
  if (!created && reply->kind == REPLY_ANSWERED && reply->status / 100 == 2 &&
      reply->status != 200)
    reply->news = (PollNews)decode_news(body, length);
  action = flow_on_reply(&work->flow, reply, work->now, 0.5);
  failure_clear(&work->last.failure);
  set_body(&work->last, NULL, 0);
  work->last.status = 0;
  work->last.delay = -1;
  if (action.what == FLOW_DO_ASK) {
    if (created && go_on(work, reply, body, length))
      return;
    hand_up(work, created, reply, body, length);
    return;
  }
  if (!created && policy_waits(reply)) {
    tell_status(work, body, length);
  } else {
    set_failure(&work->last.failure, reply);
    set_body(&work->last, body, length);
    work->last.status = reply->status;
    work->last.delay = reply->retry_after;
  }
  act(work, action);
}

/* ARG: kind 0-3, status, seconds of Retry-After | -1, cut off?, body
** RES: whether the job took it: it was creating or polling */
static int f_reply(lua_State *L) {
  size_t length;
  const char *body = luaL_checklstring(L, 5, &length);
  Work *work = the_engine.work;
  Reply reply = {.kind = (ReplyKind)luaL_checkinteger(L, 1),
                 .retry_after = luaL_checknumber(L, 3)};
  if (reply.kind == REPLY_ANSWERED || reply.kind == REPLY_LOST)
    reply.status = (int)luaL_checkinteger(L, 2);
  reply.partial = reply.kind == REPLY_LOST && lua_toboolean(L, 4) &&
                  reply.status / 100 == 2 && length > 0;
  reply.timed_out = reply.kind == REPLY_LOST && !lua_toboolean(L, 4);
  lua_pushboolean(L, work && (work->flow.state == FLOW_CREATING ||
                              work->flow.state == FLOW_POLLING));
  if (lua_toboolean(L, -1)) {
    char *kept = memcpy(lua_newuserdata(L, length + 1), body, length);
    on_reply(work, &reply, kept,
             secret_hide(kept, length, account_key(work->account)));
    lua_pop(L, 1);
  }
  return 1;
}

/* ARG: whether the reference images are usable */
static int f_checked(lua_State *L) {
  Work *work = the_engine.work;
  bool usable = lua_toboolean(L, 1);
  if (work && work->flow.state == FLOW_CHECKING && !usable)
    failure_set(&work->last.failure, "validation", "reference_unreachable",
                "no image");
  if (work)
    act(work, flow_on_checked(&work->flow, usable, work->now));
  return 0;
}

/* ARG: seconds that pass; timers go off. */
static int f_pass(lua_State *L) {
  Work *work = the_engine.work;
  if (!work)
    return 0;
  work->now += luaL_checknumber(L, 1);
  act(work, flow_on_timer(&work->flow, work->now));
  return 0;
}

/* ARG: whether jobs are recorded from now on */
static int f_record(lua_State *L) {
  has_ledger = lua_toboolean(L, 1);
  return 0;
}

/* RES: nil when there is no work | doubt, sent, ended */
static int f_known(lua_State *L) {
  const Work *work = the_engine.work;
  if (!work)
    return 0;
  lua_pushboolean(L, work->flow.doubt);
  lua_pushboolean(L, work->flow.sent);
  lua_pushboolean(L, work->ended);
  return 3;
}

int engine_double_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"reply", f_reply},   {"checked", f_checked}, {"pass", f_pass},
      {"record", f_record}, {"known", f_known},     {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
