/*
 * The module: luaopen_gptimage2_core, and its functions that are about no
 * object in particular.
 *
 * Opening it twice in one state (test runners and hot reloaders do) gives a new
 * module table over the same Core.
 */
#include "core.h"
#include "engine/base/blank.h"
#include "engine/base/clock.h"
#include "engine/base/limits.h"
#include "engine/base/platform.h"
#include "engine/base/url.h"
#include "engine/version.h"
#include "lua/objects/client.h"
#include "lua/objects/expect.h"
#include "lua/objects/job.h"
#include "lua/objects/jobs.h"
#include "lua/objects/submit.h"
#include "lua/objects/transfer.h"
#include "lua/shown/error.h"
#include "lua/shown/verdict.h"
#include "lua/system/cage.h"
#include "lua/system/digests.h"
#include "lua/system/disk.h"
#include "lua/system/program.h"
#include "lua/system/signals.h"
#include "lua/system/standin.h"
#include "lua/system/terminal.h"
#include "lua/values/json.h"
#include "lua/values/json_map.h"
#include "lua/values/ledger_rows.h"
#include "lua/values/record.h"
#include "lua/waiting/ready.h"
#include "lua/waiting/step.h"
#include "lua/waiting/waiters.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

EXPORT int luaopen_gptimage2_core(lua_State *L);

/* RES: unfinished jobs and transfers; nil where none can be finished any more,
** in a forked process or a state that is closing */
static int f_pending(lua_State *L) {
  const Core *core = core_get(L);
  if (!core_has_engine(core))
    return 0;
  lua_pushinteger(L, (lua_Integer)core->pending);
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

/* The Lua side has left something to the next step. */
static int f_remind(lua_State *L) {
  Core *core = core_get(L);
  if (core_has_engine(core))
    engine_stay_readable(core->engine);
  return 0;
}

/* RES: whether an event is being taken in, and something else was called in the
**      middle of it */
static int f_is_handling(lua_State *L) {
  lua_pushboolean(L, core_get(L)->handling);
  return 1;
}

/* ARG: ["any"]
** RES: whether this coroutine, or any, is inside of a step of its own, across
**      which it cannot yield */
static int f_is_stepping(lua_State *L) {
  const Core *core = core_get(L);
  bool any = !lua_isnoneornil(L, 1);
  lua_pushboolean(L, any ? core->stepping != NULL : core->stepping == L);
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
  error_complete(L);
  return 1;
}

/* ARG: URL
** RES: the name that a service has however its URL is spelled */
static int f_service(lua_State *L) {
  char name[URL_NAME_MAX];
  url_write_name(name, luaL_checkstring(L, 1));
  lua_pushstring(L, name);
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

/* ARG: text
** RES: whether it is printable ASCII that begins and ends with no space */
static int f_is_plain(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  bool plain = length > 0 && text[0] != ' ' && text[length - 1] != ' ';
  for (size_t i = 0; plain && i < length; i++)
    plain = text[i] >= ' ' && text[i] <= '~';
  lua_pushboolean(L, plain);
  return 1;
}

/* ARG: text
** RES: the same without what says nothing at its ends */
static int f_trim(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  length = blank_trim(&text, length);
  lua_pushlstring(L, text, length);
  return 1;
}

/* ARG: text
** RES: the same with all that must not be printed made visible */
static int f_printable(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  error_push_printable(L, text, length, false);
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

/* RES: the folder that relative paths begin in, with a slash at its end; nil
** where it cannot be had by its name (any more, or by this user) */
static int f_here(lua_State *L) {
  char path[PATH_MAX];
  struct stat here, named;
  if (!getcwd(path, sizeof path) || path[0] != '/' || stat(".", &here) != 0 ||
      stat(path, &named) != 0 || here.st_dev != named.st_dev ||
      here.st_ino != named.st_ino) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushfstring(L, "%s%s", path, path[1] ? "/" : "");
  return 1;
}

/* ARG: path, true to follow a link
** RES: what is the same for all names of this very file, until somebody changes
** it | nil, "link" or "other" for what is no regular file (which is not opened:
** it may be a FIFO), nil where nothing is */
static int f_file_id(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  int (*look)(const char *, struct stat *) = lua_toboolean(L, 2) ? stat : lstat;
  struct stat info;
  struct timespec at;
  char id[128];
  if (look(path, &info) != 0) {
    lua_pushnil(L);
    return 1;
  }
  if (!S_ISREG(info.st_mode)) {
    lua_pushnil(L);
    lua_pushstring(L, S_ISLNK(info.st_mode) ? "link" : "other");
    return 2;
  }
  at = platform_changed_at(&info);
  snprintf(
      id, sizeof id, "%" PRIxMAX ":%" PRIxMAX ":%" PRIxMAX ":%" PRIxMAX ":%lx",
      (uintmax_t)info.st_dev, (uintmax_t)info.st_ino, (uintmax_t)info.st_size,
      (uintmax_t)at.tv_sec, (unsigned long)at.tv_nsec);
  lua_pushstring(L, id);
  return 1;
}

/* ARG: folder ("" or with a slash at its end), name, exact, overwrite
** RES: true | nil, err when a file certainly cannot be written there */
static int f_check_target(lua_State *L) {
  FileTarget target = {.folder = luaL_checkstring(L, 1),
                       .name = luaL_checkstring(L, 2),
                       .exact = lua_toboolean(L, 3),
                       .overwrite = lua_toboolean(L, 4)};
  Failure failure = {0};
  if (engine_check_target(&target, &failure)) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushstring(L, failure.detail ? failure.detail : failure.code);
  error_push(L, failure.kind, failure.code, lua_tostring(L, -1));
  failure_clear(&failure);
  return error_return(L);
}

/* RES: whether this program has more rights than who started it (setuid and the
** like), whose environment it must not trust then */
static int f_is_privileged(lua_State *L) {
  lua_pushboolean(L, platform_is_privileged());
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

/* ARG: job | transfer */
static int f_cancel(lua_State *L) {
  LuaJob *job = job_test(L, 1);
  Transfer *transfer = transfer_test(L, 1);
  luaL_argcheck(L, job || transfer, 1, "job or transfer expected");
  if (!core_get(L)->engine)
    return 0;
  if (job)
    job_cancel(L, 1, "cancelled", "cancelled",
               "the job was cancelled; the service has no cancel, so if it was "
               "sent its credits stay spent");
  else
    transfer_cancel(L, transfer);
  return 0;
}

/* For lua/gptimage2/load.lua, which finds it in the file.  LuaJIT is a 5.1. */
__attribute__((used)) static const char built_for[] =
    "gptimage2 core, built for " LUA_VERSION;

static void push_limits(lua_State *L) {
  static const struct {
    const char *name;
    int limit;
  } limits[] = {{"url", URL_MAX},
                {"idempotency_key", IDEMPOTENCY_KEY_MAX},
                {"references", REFERENCES_MAX},
                {"tenant", TENANT_NAME_MAX},
                {"credits_each", CREDITS_EACH},
                {"connections", CONNECTIONS_MAX},
                {"connections_default", CONNECTIONS_DEFAULT}};
  lua_createtable(L, 0, (int)(sizeof limits / sizeof *limits));
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    lua_pushinteger(L, limits[i].limit);
    lua_setfield(L, -2, limits[i].name);
  }
}

int luaopen_gptimage2_core(lua_State *L) {
  static const luaL_Reg functions[] = {{"submit", submit},
                                       {"step", step},
                                       {"pending", f_pending},
                                       {"fd", f_fd},
                                       {"remind", f_remind},
                                       {"announce", step_announce},
                                       {"guard", step_guard},
                                       {"cannot_wait", core_cannot_wait},
                                       {"is_handling", f_is_handling},
                                       {"is_stepping", f_is_stepping},
                                       {"now", f_now},
                                       {"wall", f_wall},
                                       {"error", f_error},
                                       {"url", f_url},
                                       {"service", f_service},
                                       {"is_job_id", f_is_job_id},
                                       {"is_folder", f_is_folder},
                                       {"here", f_here},
                                       {"file_id", f_file_id},
                                       {"check_target", f_check_target},
                                       {"is_plain", f_is_plain},
                                       {"is_privileged", f_is_privileged},
                                       {"trim", f_trim},
                                       {"printable", f_printable},
                                       {"await", f_await},
                                       {"cancel", f_cancel},
                                       {"encode", json_encode},
                                       {"encode_map", json_encode_map},
                                       {"encode_request", json_encode_request},
                                       {"download", transfer_download},
                                       {"write", transfer_write},
                                       {"sleep", transfer_sleep},
                                       {"standin", standin_draw},
                                       {"note", transfer_note},
                                       {"change_tenant", transfer_tenant},
                                       {"refusal", verdict_refusal},
                                       {NULL, NULL}};
  compat_checkversion(L);
  platform_stay_loaded(&functions);
  core_open(L);
  json_open(L);
  error_open(L);
  lua_newtable(L);
  compat_setfuncs(L, functions);
  lua_pushliteral(L, GPTIMAGE2_VERSION);
  lua_setfield(L, -2, "version");
  push_limits(L);
  lua_setfield(L, -2, "limits");
  error_open_methods(L);
  core_open_finished(L);
  ready_open(L);
  waiters_open(L);
  core_push_kept(L);
  lua_setfield(L, -2, "kept");
  client_open(L);
  job_open(L);
  expect_open(L);
  jobs_open(L);
  transfer_open(L);
  record_open(L);
  ledger_rows_open(L);
  cage_open(L);
  digests_open(L);
  disk_open(L);
  program_open(L);
  signals_open(L);
  terminal_open(L);
  return 1;
}
