/*
 * core.step: takes what the engine has sent up, and tells the host.
 *
 * The order for each event: take it, bring the object up to date, let go of the
 * event, then call the host's function.  Whatever that function does, raise
 * included, finds everything consistent; it may even call step.  An event that
 * Lua had no memory to take in is taken once more by the next step.
 */
#include "core.h"

#include "../engine/clock.h"

/* A step stops when it has taken this long (seconds), and leaves the rest to
 * the next: a thousand jobs that end at once must not cost a frame. */
#define SLICE 0.0003
#define SLICE_CHECK 4 /* events between looks at the clock */

#define TRIES_MAX 3 /* for an event that cannot be taken in */

/* What a public event tells beyond type, job and time. */
static void set_details(lua_State *L, const Event *event, const char *type) {
  if (strcmp(type, "retry") != 0)
    return;
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
static bool push_call(lua_State *L, int job, const Event *event,
                      const char *type) {
  if (!job_client(L, job)->narrates ||
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
  lua_pushnumber(L, event->time);
  lua_setfield(L, -2, "time");
  copy_slot(L, job, JOB_ID, "id");
  job_push_balance(L, job);
  lua_setfield(L, -2, "balance");
  copy_slot(L, job, JOB_ERROR, "error");
  copy_slot(L, job, JOB_METADATA, "metadata");
  lua_getfield(L, job, "status");
  lua_setfield(L, -2, "status");
  set_details(L, event, type);
  return true;
}

static void handle(lua_State *L, Core *core, Event *event) {
  int top = lua_gettop(L);
  const char *type = NULL;
  bool call = false;
  LuaJob *job;
  Transfer *transfer;
  core->asked = event->kind == EVENT_REPLY;
  if (!anchor_push(L, &core->anchors, event->owner)) {
    core_settle(core);
    return;
  }
  job = job_test(L, -1);
  transfer = job ? NULL : transfer_test(L, -1);
  if (job)
    type = reply_handle(L, core, job, event);
  else if (transfer)
    transfer_handle(L, core, transfer, event);
  core->taken = true;
  if (type)
    call = push_call(L, top + 1, event, type);
  core_settle(core);
  if (call) {
    engine_gather(core->engine, false);
    lua_call(L, 1, 0);
    engine_gather(core->engine, true);
  }
  lua_settop(L, top);
}

/* Lets go of the event that the step before did not come to the end of.  One
 * that is to be taken once more stays the current one. */
static void settle(lua_State *L, Core *core) {
  Event *event = core->current;
  if (event && !core->taken && ++core->tries < TRIES_MAX)
    return;
  if (event && !core->taken && event->kind == EVENT_ENDED &&
      anchor_push(L, &core->anchors, event->owner)) {
    LuaJob *job = job_test(L, -1);
    if (job)
      reply_abandon(L, core, job, event);
    else
      transfer_abandon(L, core, transfer_test(L, -1));
    lua_pop(L, 1);
  }
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

/* RES: how many events were handled, the current one first */
static int work_off(lua_State *L) {
  Core *core = core_get(L);
  double until = clock_monotonic() + SLICE;
  Event *event = core->current;
  int handled = 0;
  luaL_checkstack(L, 32, NULL);
  engine_gather(core->engine, true);
  for (; event; event = next(L, core)) {
    handle(L, core, event);
    handled++;
    if (handled % SLICE_CHECK == 0 && clock_monotonic() >= until)
      break;
  }
  engine_gather(core->engine, false);
  if (event)
    engine_stay_readable(core->engine);
  lua_pushinteger(L, handled);
  return 1;
}

/* ARG: [timeout in seconds: how long to wait when nothing has arrived]
** RES: how many events were handled | nil, err */
int step(lua_State *L) {
  Core *core = core_get(L);
  double wait = luaL_optnumber(L, 1, 0);
  if (!core_usable(L, core))
    return 2;
  if (!next(L, core) && wait > 0) {
    engine_wait(core->engine, wait);
    next(L, core);
  }
  if (!core->current) {
    lua_pushinteger(L, 0);
    return 1;
  }
  lua_pushcfunction(L, work_off);
  if (lua_pcall(L, 0, 1, 0) == 0)
    return 1;
  engine_gather(core->engine, false);
  engine_stay_readable(core->engine); /* what is left must be asked for */
  return lua_error(L);
}
