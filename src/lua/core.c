/*
 * The Core that each Lua state has: its engine, and the registry tables that
 * keep alive what the engine works on.
 */
#include "core.h"

#include "lua/shown/error.h"

#include <errno.h>
#include <string.h>

static const char core_key = 'c';
static const char finished_key = 'f';
static const char kept_key = 'k';

Core *core_get(lua_State *L) {
  Core *core;
  compat_getregistry(L, &core_key);
  core = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return core;
}

bool core_has_engine(const Core *core) {
  return core->engine && !engine_is_forked(core->engine);
}

bool core_usable(lua_State *L, Core *core) {
  const char *code;
  const char *message;
  if (core_has_engine(core))
    return true;
  code = core->engine ? "forked" : "state_closing";
  message =
      core->engine
          ? "this process was forked after gptimage2 was at work, and its "
            "thread stayed with the parent: submit nothing before the "
            "fork"
          : "this Lua state is closing";
  lua_pushnil(L);
  error_push(L, "closed", code, message);
  return false;
}

int core_cannot_wait(lua_State *L) {
  lua_pushnil(L);
  error_push(L, "validation", "cannot_wait_here",
             "nothing can be waited for here: this is a finalizer, a hook or a "
             "metamethod that runs while gptimage2 takes in what has arrived; "
             "wait later, or in a task started with gptimage2.spawn");
  return 2;
}

void core_push_kept(lua_State *L) {
  compat_getregistry(L, &kept_key);
}

/* ---- the list of finished objects: a queue ---- */

void core_finished(lua_State *L, int index) {
  Core *core = core_get(L);
  index = compat_absindex(L, index);
  compat_getregistry(L, &finished_key);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, core->last + 1); /* may raise */
  core->last++;
  lua_pop(L, 1);
}

/* ARG: anything that somebody waits for */
static int f_finish(lua_State *L) {
  luaL_checkany(L, 1);
  core_finished(L, 1);
  return 0;
}

/* RES: the first of the list, which stays there | nil */
static int f_first(lua_State *L) {
  const Core *core = core_get(L);
  compat_getregistry(L, &finished_key);
  lua_rawgeti(L, -1, core->first);
  return 1;
}

/* ARG: what `first` gave: it leaves the list, unless it has left before */
static int f_drop(lua_State *L) {
  Core *core = core_get(L);
  lua_settop(L, 1);
  compat_getregistry(L, &finished_key);
  lua_rawgeti(L, 2, core->first);
  if (core->first > core->last || !lua_rawequal(L, 1, 3))
    return 0;
  lua_pushnil(L);
  lua_rawseti(L, 2, core->first++);
  if (core->first > core->last)
    core->first = 1, core->last = 0;
  return 0;
}

/* RES: how many are in the list */
static int f_undelivered(lua_State *L) {
  const Core *core = core_get(L);
  lua_pushinteger(L, core->last - core->first + 1);
  return 1;
}

/* The module table is on top. */
void core_open_finished(lua_State *L) {
  static const luaL_Reg functions[] = {{"finish", f_finish},
                                       {"first", f_first},
                                       {"drop", f_drop},
                                       {"undelivered", f_undelivered},
                                       {NULL, NULL}};
  compat_setfuncs(L, functions);
}

bool core_push_method(lua_State *L) {
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  if (!lua_isnil(L, -1))
    return true;
  lua_pop(L, 1);
  return false;
}

static int m__newindex(lua_State *L) {
  return luaL_error(L, "fields of a %s are read-only",
                    lua_tostring(L, lua_upvalueindex(1)));
}

void core_make_read_only(lua_State *L, const char *type) {
  lua_pushstring(L, type);
  lua_pushcclosure(L, m__newindex, 1);
  lua_setfield(L, -2, "__newindex");
}

void core_settle(Core *core) {
  Event *event = core->current;
  core->current = NULL;
  if (!event)
    return;
  if (event->kind == EVENT_ENDED)
    engine_release(core->engine, event->op);
  else
    engine_free_event(core->engine, event);
}

static int m__gc(lua_State *L) {
  Core *core = lua_touserdata(L, 1);
  if (core_has_engine(core)) {
    core_settle(core);
    engine_close(core->engine);
  }
  handles_close(&core->handles);
  core->engine = NULL;
  return 0;
}

/* The first finalizer set in the state is the last to run: every client and job
 * is gone before the engine. */
void core_open(lua_State *L) {
  Core *core = core_get(L);
  if (core)
    return;
  core = lua_newuserdata(L, sizeof *core);
  *core = (Core){.first = 1};
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, m__gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  core->engine = engine_open();
  if (!core->engine)
    luaL_error(L, "gptimage2: cannot start: %s", strerror(errno));
  compat_setregistry(L, &core_key);
  handles_open(L);
  lua_newtable(L);
  compat_setregistry(L, &finished_key);
  lua_newtable(L);
  compat_setregistry(L, &kept_key);
}
