/*
 * The module: luaopen_gptimage2_core, and the Core that each Lua state has.
 *
 * Opening it twice in one state (test runners and hot reloaders do) gives a new
 * module table over the same Core.
 */
#include "core.h"

#include "../engine/clock.h"
#include "../engine/url.h"
#include "../engine/version.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

EXPORT int luaopen_gptimage2_core(lua_State *L);

static const char core_key = 'c';
static const char objects_key = 'o';
static const char finished_key = 'f';

Core *core_get(lua_State *L) {
  Core *core;
  compat_getregistry(L, &core_key);
  core = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return core;
}

bool core_usable(lua_State *L, Core *core) {
  const char *code;
  const char *message;
  if (core->engine && !engine_is_forked(core->engine))
    return true;
  code = core->engine ? "forked" : "state_closing";
  message = core->engine
                ? "this process was forked after gptimage2 was loaded, and its "
                  "thread stayed with the parent: load it after the fork"
                : "this Lua state is closing";
  lua_pushnil(L);
  error_push(L, "closed", code, message);
  return false;
}

void core_push_objects(lua_State *L) {
  compat_getregistry(L, &objects_key);
}

void core_anchor(lua_State *L, int index, const void *owner) {
  index = compat_absindex(L, index);
  core_push_objects(L);
  lua_pushlightuserdata(L, (void *)owner);
  lua_pushvalue(L, index);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

void core_release(lua_State *L, const void *owner) {
  core_push_objects(L);
  lua_pushlightuserdata(L, (void *)owner);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

bool core_push_object(lua_State *L, const void *owner) {
  core_push_objects(L);
  lua_pushlightuserdata(L, (void *)owner);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  if (lua_isuserdata(L, -1))
    return true;
  lua_pop(L, 1);
  return false;
}

void core_finished(lua_State *L, int index) {
  index = compat_absindex(L, index);
  compat_getregistry(L, &finished_key);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, (int)compat_rawlen(L, -2) + 1);
  lua_pop(L, 1);
}

/* RES: unfinished jobs and transfers */
static int f_pending(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)core_get(L)->pending);
  return 1;
}

/* RES: a descriptor that is readable while step has something to do */
static int f_fd(lua_State *L) {
  Core *core = core_get(L);
  if (!core_usable(L, core))
    return 2;
  lua_pushinteger(L, engine_fd(core->engine));
  return 1;
}

/* RES: monotonic seconds */
static int f_now(lua_State *L) {
  lua_pushnumber(L, clock_monotonic());
  return 1;
}

/* RES: seconds since 1970, with their fraction */
static int f_wall(lua_State *L) {
  lua_pushnumber(L, clock_wall());
  return 1;
}

/* ARG: fields
** RES: the same table, as an error */
static int f_error(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  luaL_getmetatable(L, ERROR_TYPE);
  lua_setmetatable(L, 1);
  return 1;
}

/* ARG: text
** RES: {scheme, host, port, loopback, userinfo} | nil, reason */
static int f_url(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  const char *why;
  Url url;
  why = url_parse(text, length, &url);
  if (why) {
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
  }
  lua_createtable(L, 0, 6);
  lua_pushstring(L, url.https ? "https" : "http");
  lua_setfield(L, -2, "scheme");
  lua_pushlstring(L, url.host, url.host_length);
  lua_setfield(L, -2, "host");
  lua_pushboolean(L, url.loopback);
  lua_setfield(L, -2, "loopback");
  lua_pushboolean(L, url.userinfo);
  lua_setfield(L, -2, "userinfo");
  lua_pushstring(L, url.rest);
  lua_setfield(L, -2, "rest");
  if (url.port) {
    lua_pushinteger(L, url.port);
    lua_setfield(L, -2, "port");
  }
  return 1;
}

/* ARG: text
** RES: whether it may be a job id */
static int f_is_job_id(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_pushboolean(L, url_is_job_id(text, length));
  return 1;
}

/* ARG: path
** RES: whether a folder is there */
static int f_is_folder(lua_State *L) {
  struct stat info;
  lua_pushboolean(L, stat(luaL_checkstring(L, 1), &info) == 0 &&
                         S_ISDIR(info.st_mode));
  return 1;
}

/* ARG: job | transfer
** RES: whether it was still going; the end is put on the finished list */
static int f_await(lua_State *L) {
  LuaJob *job = job_test(L, 1);
  Transfer *transfer = transfer_test(L, 1);
  luaL_argcheck(L, job || transfer, 1, "job or transfer expected");
  if (job && !job_is_done(job))
    lua_pushboolean(L, job->awaited = true);
  else if (transfer && !transfer->done)
    lua_pushboolean(L, transfer->awaited = true);
  else
    lua_pushboolean(L, 0);
  return 1;
}

/* ARG: job | transfer [, kind, code, message] */
static int f_cancel(lua_State *L) {
  LuaJob *job = job_test(L, 1);
  Transfer *transfer = transfer_test(L, 1);
  luaL_argcheck(L, job || transfer, 1, "job or transfer expected");
  if (!core_usable(L, core_get(L)))
    return 2;
  if (job)
    job_cancel(L, 1, "cancelled", "cancelled",
               "the job was cancelled; the service has no cancel, so if it was "
               "sent its credits stay spent");
  else
    transfer_cancel(L, transfer);
  return 0;
}

static int m__gc(lua_State *L) {
  Core *core = lua_touserdata(L, 1);
  if (core->engine && !engine_is_forked(core->engine)) {
    step_settle(core);
    engine_close(core->engine);
  }
  core->engine = NULL;
  return 0;
}

/* The first finalizer set in the state is the last to run: every client and job
 * is gone before the engine. */
static void open_core(lua_State *L) {
  Core *core = core_get(L);
  if (core)
    return;
  core = lua_newuserdata(L, sizeof *core);
  *core = (Core){0};
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, m__gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  core->engine = engine_open();
  if (!core->engine)
    luaL_error(L, "gptimage2: cannot start: %s", strerror(errno));
  compat_setregistry(L, &core_key);
  lua_newtable(L);
  compat_setregistry(L, &objects_key);
  lua_newtable(L);
  compat_setregistry(L, &finished_key);
}

int luaopen_gptimage2_core(lua_State *L) {
  static const luaL_Reg functions[] = {{"submit", submit},
                                       {"step", step},
                                       {"pending", f_pending},
                                       {"fd", f_fd},
                                       {"now", f_now},
                                       {"wall", f_wall},
                                       {"error", f_error},
                                       {"url", f_url},
                                       {"is_job_id", f_is_job_id},
                                       {"is_folder", f_is_folder},
                                       {"await", f_await},
                                       {"cancel", f_cancel},
                                       {"encode", json_encode},
                                       {"download", transfer_download},
                                       {"write", transfer_write},
                                       {"sleep", transfer_sleep},
                                       {NULL, NULL}};
  compat_checkversion(L);
  open_core(L);
  json_open(L);
  error_open(L);
  lua_newtable(L);
  compat_setfuncs(L, functions);
  lua_pushliteral(L, GPTIMAGE2_VERSION);
  lua_setfield(L, -2, "version");
  compat_getregistry(L, &finished_key);
  lua_setfield(L, -2, "finished");
  client_open(L);
  job_open(L);
  transfer_open(L);
  return 1;
}
