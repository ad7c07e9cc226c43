/*
 * The jobs of a client: listing them, and ending them, and its downloads, when
 * it closes.
 */
#include "jobs.h"

#include "client.h"
#include "job.h"
#include "lua/core.h"
#include "transfer.h"

/* ARG: client
** RES: its unfinished jobs, in no order */
static int f_jobs(lua_State *L) {
  int count = 0;
  client_check(L, 1);
  lua_settop(L, 1);
  lua_newtable(L);
  handles_push_all(L);
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

/* ARG: client
** RES: the keys of its jobs that the engine works on, as a set: also of those
**      that are cancelled and whose last answer is awaited */
static int f_live_keys(lua_State *L) {
  client_check(L, 1);
  lua_settop(L, 1);
  lua_newtable(L);
  handles_push_all(L);
  for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
    LuaJob *job = job_test(L, -1);
    if (!job || !job->op)
      continue;
    job_get(L, -1, JOB_CLIENT);
    job_get(L, -2, JOB_KEY);
    if (lua_rawequal(L, -2, 1) && !lua_isnil(L, -1)) {
      lua_pushboolean(L, 1);
      lua_rawset(L, 2);
      lua_pop(L, 1);
    } else {
      lua_pop(L, 2);
    }
  }
  lua_pop(L, 1);
  return 1;
}

/* Pushes the client of the object on top, nil where it has none. */
static void push_owner(lua_State *L) {
  if (job_test(L, -1))
    job_get(L, -1, JOB_CLIENT);
  else if (transfer_test(L, -1))
    transfer_push_client(L, -1);
  else
    lua_pushnil(L);
}

/* Cancels the object on top.  Of a job in a ledger what is known now is not
 * what comes of it: whoever asks for it again would pay twice. */
static void cancel(lua_State *L, bool recorded) {
  if (job_test(L, -1))
    job_cancel(L, -1, "closed", "client_closed",
               recorded ? "the client was closed before the job was done; the "
                          "ledger has it, and recover goes on with it: do not "
                          "ask for it again"
                        : "the client was closed before the job was done");
  else
    transfer_cancel(L, transfer_test(L, -1));
}

/* Cancels the jobs and downloads of the client at index 1.  They are collected
 * first: the table of objects changes while they end. */
static void cancel_all(lua_State *L, Core *core, bool recorded) {
  int list;
  lua_newtable(L);
  list = lua_gettop(L);
  handles_push_all(L);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    push_owner(L);
    if (lua_rawequal(L, -1, 1)) {
      lua_pushvalue(L, -2);
      lua_rawseti(L, list, (int)compat_rawlen(L, list) + 1);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  for (int i = 1; i <= (int)compat_rawlen(L, list) && core->engine; i++) {
    lua_rawgeti(L, list, i);
    cancel(L, recorded);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* ARG: job of a client with a ledger
** It ends here as if its client were closed: what is not sent stays unsent, an
** answer that is to come is recorded, and recover takes it up */
static int f_leave(lua_State *L) {
  job_check(L, 1);
  lua_settop(L, 1);
  cancel(L, true);
  return 0;
}

/* client:close()  Idempotent: also __close. */
static int m_close(lua_State *L) {
  Client *client = client_check(L, 1);
  Core *core = core_get(L);
  bool open = client->account && core->engine;
  lua_settop(L, 1);
  client_drop(core, client); /* first: the places that get free stay free */
  if (open)
    cancel_all(L, core, client->recorded);
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
  lua_pushcfunction(L, f_live_keys);
  lua_setfield(L, -2, "live_keys");
  lua_pushcfunction(L, f_leave);
  lua_setfield(L, -2, "leave");
}
