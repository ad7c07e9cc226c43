/*
 * The Lua module gptimage2.sandbox: start, and the methods of what it
 * returns. A userdata owns one Server. Runs on the thread of the Lua state;
 * the server's threads never see Lua.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/lua/books.h"
#include "sandbox/lua/lua_compat.h"
#include "sandbox/lua/options.h"
#include "sandbox/lua/rules.h"
#include "sandbox/server/answer.h"
#include "sandbox/server/server.h"

#define SANDBOX_TYPE "gptimage2.Sandbox"

int luaopen_gptimage2_sandbox(lua_State *L);

typedef struct Sandbox {
  Server *server; /* NULL before it has started, and after __gc */
} Sandbox;

static Server *check_server(lua_State *L) {
  Sandbox *sandbox = luaL_checkudata(L, 1, SANDBOX_TYPE);
  Server *server = sandbox->server;
  if (!server)
    luaL_error(L, "attempt to use a collected sandbox");
  else if (server->pid != getpid())
    luaL_error(L, "a sandbox cannot be used in a forked process");
  return server;
}

/* ---- start ---- */

static const double WHOLE_MAX = 9007199254740992.0;

static void read_tls(const Options *from, ServerOptions *to) {
  static const char *const FLAWS[] = {"good", "expired", "wrong_host",
                                      "self_signed", NULL};
  int flaw = options_choice(from, "certificate", FLAWS);
  to->tls = options_boolean(from, "tls", false);
  to->flaw = flaw < 0 ? FLAW_NONE : (CertificateFlaw)flaw;
  if (flaw >= 0 && !to->tls)
    options_raise(from, "option 'certificate' goes with tls = true");
}

/* Seconds for all jobs, or a table that says how they are spread. */
static void read_duration(const Options *from, Spread *to) {
  static const char *const NAMES[] = {"median", "sigma", "scale", "seed", NULL};
  double scale;
  Options spread = *from;
  *to = (Spread){.median = 1.0};
  lua_pushliteral(from->L, "duration");
  lua_rawget(from->L, from->index);
  if (!lua_istable(from->L, -1)) {
    lua_pop(from->L, 1);
    to->median = options_number(from, "duration", 0, 1e9, 1.0);
    return;
  }
  spread.index = lua_gettop(from->L);
  options_check(&spread, NAMES);
  scale = options_number(&spread, "scale", 0, 1e3, 1);
  to->median = scale * options_number(&spread, "median", 0, 1e6, 1);
  to->sigma = options_number(&spread, "sigma", 0, 10, 0);
  to->seed = (uint64_t)options_integer(&spread, "seed", 0, WHOLE_MAX, 1);
  lua_pop(from->L, 1);
}

static void read_start(const Options *from, ServerOptions *to) {
  static const char *const NAMES[] = {
      "port",        "api_key",     "credits",     "duration",
      "idempotency", "image_size",  "image_bytes", "free_per_day",
      "tls",         "certificate", NULL};
  options_check(from, NAMES);
  const char *key = options_line(from, "api_key", SERVER_MAX_KEY - 1);
  if (key && key[0] == '\0')
    options_raise(from, "option 'api_key' must not be empty");
  memcpy(to->api_key, key ? key : "sandbox", strlen(key ? key : "sandbox") + 1);
  to->port = (unsigned)options_integer(from, "port", 0, 65535, 0);
  read_tls(from, to);
  to->image_size = (int)options_integer(from, "image_size", PICTURE_MIN_SIDE,
                                        PICTURE_MAX_SIDE, 1024);
  to->image_bytes = (size_t)options_integer(
      from, "image_bytes", PICTURE_MIN_BYTES, PICTURE_MAX_BYTES, 0);
  ServiceOptions *service = &to->service;
  service->credits =
      (int64_t)options_integer(from, "credits", 0, WHOLE_MAX, 500);
  service->free_per_day =
      (int64_t)options_integer(from, "free_per_day", 0, WHOLE_MAX, 0);
  read_duration(from, &service->duration);
  service->idempotency = options_boolean(from, "idempotency", true);
}

/* ARG: [options]
** RES: sandbox | nil, message */
static int f_start(lua_State *L) {
  ServerOptions read = {0};
  char error[SERVER_MAX_ERROR];
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  read_start(&(Options){L, 1, "start"}, &read);
  Sandbox *sandbox = lua_newuserdata(L, sizeof *sandbox);
  sandbox->server = NULL;
  luaL_getmetatable(L, SANDBOX_TYPE);
  lua_setmetatable(L, -2);
  sandbox->server = server_start(&read, error);
  if (!sandbox->server) {
    lua_pushnil(L);
    lua_pushstring(L, error);
    return 2;
  }
  return 1;
}

/* ---- faults ---- */

/* ARG: rule
** RES: */
static int m_fault(lua_State *L) {
  Server *server = check_server(L);
  Fault rule = {0};
  lua_settop(L, 2);
  rules_read(L, server->options.tls, &rule);
  if (!server_fault(server, &rule))
    return luaL_error(L, "not enough memory");
  return 0;
}

/* RES: */
static int m_clear(lua_State *L) {
  server_clear(check_server(L));
  return 0;
}

/* What sandbox:fault takes.
** RES: list */
static int f_faults(lua_State *L) {
  rules_push_kinds(L);
  return 1;
}

/* ---- the rest ---- */

/* ARG: seconds
** RES: */
static int m_advance(lua_State *L) {
  Server *server = check_server(L);
  double seconds = luaL_checknumber(L, 2);
  luaL_argcheck(L, seconds >= 0 && seconds <= 1e9, 2,
                "seconds, from 0 to 1e9, expected");
  server_advance(server, seconds);
  return 0;
}

/* ARG: name
** RES: url */
static int m_reference(lua_State *L) {
  Server *server = check_server(L);
  size_t size = 0;
  const char *name = luaL_checklstring(L, 2, &size);
  char stem[ANSWER_MAX_NAME] = "";
  bool plain = size > 4 && strcmp(name + size - 4, ".txt") == 0;
  if (size < sizeof stem)
    memcpy(stem, name, size - (plain ? 4 : 0));
  luaL_argcheck(L, strlen(name) == size && answer_is_name(stem), 2,
                "a name of letters, digits, '_' and '-' expected");
  lua_pushfstring(L, "%s/reference/%s.%s", server->url, stem,
                  plain ? "txt" : "png");
  return 1;
}

/* RES: table */
static int m_ledger(lua_State *L) {
  books_push(L, check_server(L));
  return 1;
}

/* Ends the threads; the books stay. Repeatable; __close is the same.
** RES: */
static int m_stop(lua_State *L) {
  Sandbox *sandbox = luaL_checkudata(L, 1, SANDBOX_TYPE);
  if (sandbox->server)
    server_stop(sandbox->server);
  return 0;
}

static int m__gc(lua_State *L) {
  Sandbox *sandbox = luaL_checkudata(L, 1, SANDBOX_TYPE);
  if (sandbox->server) {
    server_free(sandbox->server);
    sandbox->server = NULL;
  }
  return 0;
}

static int m__tostring(lua_State *L) {
  Sandbox *sandbox = luaL_checkudata(L, 1, SANDBOX_TYPE);
  Server *server = sandbox->server;
  lua_pushfstring(L, "%s (%s)", SANDBOX_TYPE,
                  server && server->running ? server->url : "stopped");
  return 1;
}

/* The fields; all else is a method (upvalue 1: their table).
** ARG: name
** RES: value | nil */
static int m__index(lua_State *L) {
  Sandbox *sandbox = luaL_checkudata(L, 1, SANDBOX_TYPE);
  Server *server = sandbox->server;
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (server && strcmp(name, "url") == 0) {
    lua_pushstring(L, server->url);
  } else if (server && strcmp(name, "api_key") == 0) {
    lua_pushstring(L, server->options.api_key);
  } else if (server && strcmp(name, "ca_file") == 0) {
    const char *ca_file = server->certificate.ca_file;
    lua_pushstring(L, ca_file[0] != '\0' ? ca_file : NULL);
  } else {
    lua_settop(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
  }
  return 1;
}

static void create_type(lua_State *L) {
  static const luaL_Reg METHODS[] = {
      {"fault", m_fault},   {"clear", m_clear},         {"advance", m_advance},
      {"ledger", m_ledger}, {"reference", m_reference}, {"stop", m_stop},
      {NULL, NULL}};
  static const luaL_Reg META[] = {{"__gc", m__gc},
                                  {"__close", m_stop},
                                  {"__tostring", m__tostring},
                                  {NULL, NULL}};
  luaL_newmetatable(L, SANDBOX_TYPE); /* the old one, the second time */
  compat_set_functions(L, META);
  lua_newtable(L);
  compat_set_functions(L, METHODS);
  lua_pushcclosure(L, m__index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

__attribute__((visibility("default"))) int
luaopen_gptimage2_sandbox(lua_State *L) {
  static const luaL_Reg FUNCTIONS[] = {
      {"start", f_start}, {"faults", f_faults}, {NULL, NULL}};
  compat_check_version(L);
  create_type(L);
  lua_newtable(L);
  compat_set_functions(L, FUNCTIONS);
  return 1;
}
