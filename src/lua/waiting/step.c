/*
 * core.step: takes what the engine has sent up, and tells the host.
 *
 * The order for each event: take it, bring the object up to date, let go of the
 * event, then call the host's function.  Whatever that function does, raise
 * included, finds everything consistent; it may even call step.  An event that
 * Lua had no memory to take in is taken once more by the next step.
 *
 * While an event is taken in (`handling`) Lua may run code of the host's all
 * the same: finalizers, by any allocation; hooks; metamethods of what it has
 * been given.  A step in there handles nothing, and nothing else takes or frees
 * events.  No coroutine can yield out of it, nor out of step: C is below.
 */
#include "step.h"

#include "engine/base/clock.h"
#include "lua/core.h"
#include "lua/objects/client.h"
#include "lua/objects/job.h"
#include "lua/objects/transfer.h"
#include "lua/shown/error.h"
#include "lua/shown/reply.h"

/* A step stops when it has taken this long (seconds), one event at least, and
 * leaves the rest to the next: a thousand jobs that end at once must not cost a
 * frame.  Any event may be a large one: the clock is read after each. */
#define STEP_BUDGET 0.0003

#define TRIES_MAX 3 /* for an event that cannot be taken in */

/* What a retry tells beyond what all events do. */
static void set_details(lua_State *L, const Event *event) {
  lua_pushnumber(L, event->delay > 0 ? event->delay : 0);
  lua_setfield(L, -2, "delay");
  if (event->status)
    error_set_number(L, "status", event->status);
  error_set_number(L, "attempts", event->attempts);
  if (event->failure.kind) {
    error_set(L, "code", event->failure.code);
    error_set(L, "message", event->failure.detail ? event->failure.detail : "");
  }
}

/* job.name as a field of the same name of the event on top. */
static void copy_slot(lua_State *L, int job, int slot, const char *name) {
  job_get(L, job, slot);
  lua_setfield(L, -2, name);
}

/* Pushes on_event and its argument; false when the host has no on_event. */
static bool push_call(lua_State *L, int job, const char *type, double time) {
  if (!job_client(L, job)->has_listener ||
      ((LuaJob *)lua_touserdata(L, job))->quiet)
    return false;
  job_get(L, job, JOB_CLIENT);
  client_push_handler(L, -1);
  lua_remove(L, -2);
  lua_createtable(L, 0, 8);
  lua_pushstring(L, type);
  lua_setfield(L, -2, "type");
  lua_pushvalue(L, job);
  lua_setfield(L, -2, "job");
  lua_pushnumber(L, time);
  lua_setfield(L, -2, "time");
  copy_slot(L, job, JOB_ID, "id");
  job_push_balance(L, job);
  lua_setfield(L, -2, "balance");
  copy_slot(L, job, JOB_ERROR, "error");
  copy_slot(L, job, JOB_METADATA, "metadata");
  lua_getfield(L, job, "status");
  lua_setfield(L, -2, "status");
  job_push_eta(L, job);
  lua_setfield(L, -2, "eta");
  return true;
}

/* The same for an event; false when nobody is to be told. */
static bool push_told(lua_State *L, int job, const Event *event,
                      const char *type) {
  if (!type || !push_call(L, job, type, event->time))
    return false;
  if (event->kind == EVENT_RETRY)
    set_details(L, event);
  return true;
}

/* ARG: anything that is done.  A cancel takes effect at once, so its event does
**      not wait for the engine: it is told here, once */
int step_announce(lua_State *L) {
  LuaJob *job = job_test(L, 1);
  if (!job || job->status != JOB_CANCELLED || job->told)
    return 0;
  if (!push_call(L, 1, "cancelled", clock_wall()) || job->told)
    return 0;
  job->told = true;
  lua_call(L, 1, 0);
  return 0;
}

/* ARG: event; the upvalues are step_guard's arguments */
static int call_guarded(lua_State *L) {
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 1, 0, 0) == 0)
    return 0;
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_insert(L, 2);
  lua_pushliteral(L, "on_event");
  lua_getfield(L, 1, "job");
  lua_call(L, 3, 0);
  return 0;
}

/* ARG: on_event, keep: function(error, "on_event", job)
** RES: an on_event whose errors end no step: they are kept.  Of C, so that no
**      hook of the host's comes in between and loses the event */
int step_guard(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  lua_pushcclosure(L, call_guarded, 2);
  return 1;
}

/* Raises only while `handling`, and then the event is still the current one. */
static bool take_in(lua_State *L, Core *core, Event *event) {
  int top = lua_gettop(L);
  const char *type = NULL;
  LuaJob *job;
  Transfer *transfer;
  bool call;
  core->handling = true;
  core->tries++;
  if (handles_push(L, &core->handles, event->owner)) {
    job = job_test(L, -1);
    transfer = job ? NULL : transfer_test(L, -1);
    if (job)
      type = reply_handle(L, core, job, event);
    else if (transfer)
      transfer_handle(L, core, transfer, event);
  }
  core->taken = true;
  call = push_told(L, top + 1, event, type);
  core_settle(core);
  core->handling = false;
  return call;
}

/* What the host asked for in the middle of the event. */
static void cancel_now(lua_State *L, Core *core, int index) {
  Reason reason = core->later;
  core->later = (Reason){0};
  if (reason.kind && job_test(L, index))
    job_cancel(L, index, reason.kind, reason.code, reason.message);
}

static void handle(lua_State *L, Core *core, Event *event) {
  int top = lua_gettop(L);
  bool call = take_in(L, core, event);
  cancel_now(L, core, top + 1);
  if (call) {
    engine_uncork(core->engine);
    lua_call(L, 1, 0);
    engine_cork(core->engine);
  }
  lua_settop(L, top);
}

/* Lets go of the event that the step before did not come to the end of.  One
 * that is to be taken once more stays the current one. */
static void settle(lua_State *L, Core *core) {
  Event *event = core->current;
  if (event && !core->taken && core->tries < TRIES_MAX)
    return;
  if (event && !core->taken && event->kind == EVENT_ENDED &&
      handles_push(L, &core->handles, event->owner)) {
    LuaJob *job = job_test(L, -1);
    if (job)
      reply_abandon(L, core, job, event);
    else
      transfer_abandon(L, core, transfer_test(L, -1));
    lua_pop(L, 1);
  }
  core->later = (Reason){0};
  core_settle(core);
}

/* The event to handle now, or NULL. */
static Event *next(lua_State *L, Core *core) {
  settle(L, core);
  if (!core->current) {
    core->current = engine_next_event(core->engine);
    core->taken = false;
    core->tries = 0;
  }
  return core->current;
}

/* ARG: after, outermost
** RES: what after(how many events were handled, outermost) gives */
static int work_off(lua_State *L) {
  Core *core = core_get(L);
  double until = clock_monotonic() + STEP_BUDGET;
  Event *event = core->current;
  int handled = 0;
  luaL_checkstack(L, 32, NULL);
  engine_cork(core->engine);
  for (; event; event = next(L, core)) {
    handle(L, core, event);
    handled++;
    if (clock_monotonic() >= until)
      break;
  }
  engine_uncork(core->engine);
  if (event)
    engine_stay_readable(core->engine);
  lua_settop(L, 2);
  lua_pushinteger(L, handled);
  lua_insert(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

/* Calls work_off.  What it gave, or the error, is on top. */
static bool run(lua_State *L, Core *core) {
  const void *outer = core->stepping;
  bool ok;
  lua_pushcfunction(L, work_off);
  lua_pushvalue(L, 1);
  lua_pushboolean(L, !outer);
  core->stepping = L;
  ok = lua_pcall(L, 2, 1, 0) == 0;
  core->stepping = outer;
  if (ok)
    return true;
  core->handling = false;
  engine_uncork(core->engine);
  engine_stay_readable(core->engine); /* what is left must be asked for */
  return false;
}

/* ARG: after: function(handled, outermost) to be called in the end,
**      left: whether it has something to do in any case,
**      [timeout in seconds: how long to wait when nothing has arrived]
** RES: what `after` gives, or 0 | nil, err */
int step(lua_State *L) {
  Core *core = core_get(L);
  bool left = lua_toboolean(L, 2);
  double wait = left ? 0 : luaL_optnumber(L, 3, 0);
  luaL_checktype(L, 1, LUA_TFUNCTION);
  if (!core_usable(L, core))
    return 2;
  if (core->handling && wait > 0)
    return core_cannot_wait(L);
  if (!core->handling && !next(L, core) && wait > 0) {
    engine_wait(core->engine, wait);
    next(L, core);
  }
  if (!core->handling && (core->current || left))
    return run(L, core) ? 1 : lua_error(L);
  lua_pushinteger(L, 0);
  return 1;
}
