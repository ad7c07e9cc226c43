/*
 * The credits of a client's jobs.
 *
 * They are reserved by key: whoever learns what became of the job that has it
 * can give them back.  What came back is remembered by the service's id, for a
 * job that was told as failed may turn out to have succeeded.
 */
#include "credits.h"

#include "lua/objects/client.h"
#include "lua/objects/job.h"

/* Refunds that are remembered.  After so many more a job that succeeds after
 * all is not counted again. */
#define REFUNDS_MAX 4096

/* Pushes the client's table of reservations and the job's key; false, pushing
 * nothing, when it has none. */
static bool push_reservations(lua_State *L, int index) {
  index = compat_absindex(L, index);
  job_get(L, index, JOB_CLIENT);
  client_push_reserved(L, -1);
  lua_remove(L, -2);
  job_get(L, index, JOB_KEY);
  if (!lua_isnil(L, -1))
    return true;
  lua_pop(L, 2);
  return false;
}

/* The credits reserved under the job's key. */
static double reserved(lua_State *L, int index) {
  double credits;
  if (!push_reservations(L, index))
    return 0;
  lua_rawget(L, -2);
  credits = lua_tonumber(L, -1);
  lua_pop(L, 2);
  return credits;
}

/* Only more than before needs memory, and may raise. */
static void set_reserved(lua_State *L, int index, double credits) {
  if (!push_reservations(L, index))
    return;
  if (credits > 0)
    lua_pushnumber(L, credits);
  else
    lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

bool job_has_reserved(lua_State *L, int index) {
  return reserved(L, index) > 0;
}

void job_reserve(lua_State *L, int index, bool again) {
  LuaJob *job = lua_touserdata(L, index);
  double before = reserved(L, index);
  if (again && before > 0)
    return;
  set_reserved(L, index, before + job->cost);
  job_client(L, index)->spent += job->cost;
}

/* ---- what came back, by id ---- */

/* Pushes the client's table of refunds and the job's id; false, pushing
 * nothing, when it has none. */
static bool push_refunds(lua_State *L, int index) {
  index = compat_absindex(L, index);
  job_get(L, index, JOB_CLIENT);
  client_push_refunds(L, -1);
  lua_remove(L, -2);
  job_get(L, index, JOB_ID);
  if (!lua_isnil(L, -1))
    return true;
  lua_pop(L, 2);
  return false;
}

/* Makes room for the id on top in the table below it, which has the ids by
 * number, too, as in a ring. */
static void take_seat(lua_State *L, Client *client) {
  int seat = (int)(client->refunds % REFUNDS_MAX) + 1;
  lua_rawgeti(L, -2, seat);
  if (!lua_isnil(L, -1)) {
    lua_pushnil(L);
    lua_rawset(L, -4);
  } else {
    lua_pop(L, 1);
  }
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, seat); /* may raise: nothing else has happened */
  client->refunds++;
}

static void remember_refund(lua_State *L, int index, double credits) {
  bool known;
  if (credits <= 0 || !push_refunds(L, index))
    return;
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  known = !lua_isnil(L, -1);
  lua_pop(L, 1);
  if (!known)
    take_seat(L, job_client(L, index));
  lua_pushnumber(L, credits);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* The credits that came back for the job, which are forgotten. */
static double forget_refund(lua_State *L, int index) {
  double credits;
  if (!push_refunds(L, index))
    return 0;
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  credits = lua_tonumber(L, -1);
  lua_pop(L, 1);
  if (credits > 0) {
    lua_pushboolean(L, 0); /* its seat stays */
    lua_rawset(L, -3);
    lua_pop(L, 1);
  } else {
    lua_pop(L, 2);
  }
  return credits;
}

/* Under a key that the caller used twice there may be more than this job's. */
void job_refund(lua_State *L, int index) {
  LuaJob *job = lua_touserdata(L, index = compat_absindex(L, index));
  double credits = reserved(L, index);
  double back = job->cost > 0 && job->cost < credits ? job->cost : credits;
  if (job->refunded || job->kept)
    return;
  remember_refund(L, index, back);
  set_reserved(L, index, credits - back);
  job->refunded = true;
  job_client(L, index)->spent -= back;
}

/* Takes the job's cost, or what there is of it, from what can come back. */
static double take_reserved(lua_State *L, int index) {
  const LuaJob *job = lua_touserdata(L, index);
  double credits = reserved(L, index);
  double own = job->cost < credits ? job->cost : credits;
  set_reserved(L, index, credits - own);
  return own;
}

void job_keep(lua_State *L, int index) {
  LuaJob *job = lua_touserdata(L, index = compat_absindex(L, index));
  if (job->kept)
    return;
  job->kept = true;
  take_reserved(L, index);
}

static bool has_earlier_id(lua_State *L, int index) {
  bool same;
  job_get(L, index, JOB_EARLIER_ID);
  job_get(L, index, JOB_ID);
  same = !lua_isnil(L, -1) && lua_rawequal(L, -2, -1);
  lua_pop(L, 2);
  return same;
}

void job_named(lua_State *L, int index) {
  LuaJob *job = lua_touserdata(L, index = compat_absindex(L, index));
  if (!has_earlier_id(L, index))
    return;
  job->twice = false;
  if (job->reserved)
    job_client(L, index)->spent -=
        job->kept ? job->cost : take_reserved(L, index);
  job->reserved = job->kept = false;
}

void job_spend(lua_State *L, int index) {
  job_client(L, index)->spent += forget_refund(L, index);
  set_reserved(L, index, 0);
}
