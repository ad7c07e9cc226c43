/* What is expected of jobs: see expect.h. */
#include "expect.h"

#include "engine/base/clock.h"
#include "job.h"
#include "lua/core.h"
#include "lua/values/fields.h"

#include <math.h>
#include <string.h>

#define HALF 0.5 /* of the jobs that are as old still run then */
#define TENTH 0.1

unsigned expect_class(lua_State *L, int index) {
  const char *mode;
  if (!lua_istable(L, index))
    return POLL_CLASS_NONE;
  mode = field_text(L, index, "mode");
  return poll_class(mode && strcmp(mode, "image-to-image") == 0,
                    (int)field_number(L, index, "count", 0));
}

/* 0 means that it did not come yet. */
void job_accept(LuaJob *job, double created) {
  double after = created - job->started;
  job->accepted = (float)(after > 1e-6 ? after : 1e-6);
}

static void push_seconds(lua_State *L, double seconds) {
  if (isnan(seconds))
    lua_pushnil(L);
  else
    lua_pushnumber(L, seconds);
}

void job_push_eta(lua_State *L, int index) {
  const LuaJob *job = lua_touserdata(L, index);
  const Client *client = job_client(L, index);
  double age = clock_monotonic() - job->started - (double)job->accepted;
  if (job_is_done(job) || job->accepted <= 0 || !client->account)
    lua_pushnil(L);
  else
    push_seconds(L, account_expect(client->account, job->class,
                                   age > 0 ? age : 0, HALF));
}

/* ARG: client, a checked request
** RES: seconds from the create in which half of such jobs end, and nine in
** ten; nothing where that is not known */
static int f_expect(lua_State *L) {
  const Client *client = client_check(L, 1);
  unsigned class;
  luaL_checktype(L, 2, LUA_TTABLE);
  class = expect_class(L, 2);
  if (!client->account)
    return 0;
  push_seconds(L, account_expect(client->account, class, 0, HALF));
  push_seconds(L, account_expect(client->account, class, 0, TENTH));
  return 2;
}

void expect_open(lua_State *L) {
  lua_pushcfunction(L, f_expect);
  lua_setfield(L, -2, "expect");
}
