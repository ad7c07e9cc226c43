/*
 * The jobs of a client: listing them, and ending them when it closes.
 */
#include "core.h"

/* ARG: client
** RES: its unfinished jobs, in no order */
static int f_jobs(lua_State *L) {
  int count = 0;
  client_check(L, 1);
  lua_settop(L, 1);
  lua_newtable(L);
  core_push_objects(L);
  for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
    LuaJob *job = job_test(L, -1);
    if (!job || job_is_done(job))
      continue;
    job_get(L, -1, JOB_CLIENT);
    if (lua_rawequal(L, -1, 1)) {
      lua_pushvalue(L, -2);
      lua_rawseti(L, 2, ++count);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return 1;
}

/* Cancels the jobs of the client at index 1.  They are collected first: the
 * table of objects changes while they end. */
static void cancel_jobs(lua_State *L, Core *core) {
  int list;
  lua_newtable(L);
  list = lua_gettop(L);
  core_push_objects(L);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (!job_test(L, -1))
      continue;
    job_get(L, -1, JOB_CLIENT);
    if (lua_rawequal(L, -1, 1)) {
      lua_pushvalue(L, -2);
      lua_rawseti(L, list, (int)compat_rawlen(L, list) + 1);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  for (int i = 1; i <= (int)compat_rawlen(L, list) && core->engine; i++) {
    lua_rawgeti(L, list, i);
    job_cancel(L, -1, "closed", "client_closed",
               "the client was closed before the job was done");
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* client:close()  Idempotent: also __close. */
static int m_close(lua_State *L) {
  Client *client = client_check(L, 1);
  Core *core = core_get(L);
  lua_settop(L, 1);
  if (client->account && core->engine && !engine_is_forked(core->engine))
    cancel_jobs(L, core);
  client_drop(core, client);
  return 0;
}

/* The module table is on top. */
void jobs_open(lua_State *L) {
  luaL_getmetatable(L, CLIENT_TYPE);
  lua_pushcfunction(L, m_close);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
  lua_getfield(L, -1, "client_methods");
  lua_pushcfunction(L, m_close);
  lua_setfield(L, -2, "close");
  lua_pop(L, 1);
  lua_pushcfunction(L, f_jobs);
  lua_setfield(L, -2, "jobs");
}
