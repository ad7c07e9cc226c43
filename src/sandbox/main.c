/*
 * The Lua module gptimage2.sandbox: start, and the methods of what it
 * returns. A userdata owns one Server. Runs on the thread of the Lua state;
 * the server's threads never see Lua.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "lua_compat.h"
#include "options.h"
#include "server.h"
#include "views.h"

#define SANDBOX_TYPE "gptimage2.Sandbox"

int luaopen_gptimage2_sandbox(lua_State *L);

typedef struct Sandbox {
  Server *server; /* NULL before it has started, and after __gc */
} Sandbox;

static Server *check_server(lua_State *L) {
  Sandbox *sandbox = luaL_checkudata(L, 1, SANDBOX_TYPE);
  Server *server = sandbox->server;
  if (server == NULL) {
    luaL_error(L, "attempt to use a collected sandbox");
  } else if (server->pid != getpid()) {
    luaL_error(L, "a sandbox cannot be used in a forked process");
  }
  return server;
}

/* ---- start ---- */

static const double WHOLE_MAX = 9007199254740992.0;

static void read_start(const Options *from, ServerOptions *to) {
  static const char *const NAMES[] = {
      "port",       "api_key",     "credits",      "duration", "idempotency",
      "image_size", "image_bytes", "free_per_day", "tls",      NULL};
  options_check(from, NAMES);
  const char *key = options_line(from, "api_key", SERVER_MAX_KEY - 1);
  if (key != NULL && key[0] == '\0') {
    options_raise(from, "option 'api_key' must not be empty");
  }
  memcpy(to->api_key, key != NULL ? key : "sandbox",
         strlen(key != NULL ? key : "sandbox") + 1);
  to->port = (unsigned)options_integer(from, "port", 0, 65535, 0);
  to->tls = options_boolean(from, "tls", false);
  to->image_size = (int)options_integer(from, "image_size", PICTURE_MIN_SIDE,
                                        PICTURE_MAX_SIDE, 1024);
  to->image_bytes = (size_t)options_integer(
      from, "image_bytes", PICTURE_MIN_BYTES, PICTURE_MAX_BYTES, 0);
  ServiceOptions *service = &to->service;
  service->credits =
      (int64_t)options_integer(from, "credits", 0, WHOLE_MAX, 500);
  service->free_per_day =
      (int64_t)options_integer(from, "free_per_day", 0, WHOLE_MAX, 0);
  service->duration = options_number(from, "duration", 0, 1e9, 1.0);
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
  if (sandbox->server == NULL) {
    lua_pushnil(L);
    lua_pushstring(L, error);
    return 2;
  }
  return 1;
}

/* ---- faults ---- */

static const char *const ON_NAMES[] = {"create", "poll", "image", "reference",
                                       "other",  "any",  "job",   NULL};
static const char *const ACTION_NAMES[] = {
    "status",    "delay",    "hang",     "reset", "close", "truncate",
    "malformed", "oversize", "redirect", "fail",  "body",  NULL};

/* Stack: the table of headers on top; leaves it there. */
static void read_headers(const Options *from, Fault *rule) {
  lua_State *L = from->L;
  int table = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, table) != 0) {
    size_t name_size = 0, value_size = 0;
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING) {
      options_raise(from, "option 'headers' maps strings to strings");
    }
    const char *name = lua_tolstring(L, -2, &name_size);
    const char *value = lua_tolstring(L, -1, &value_size);
    if (name_size == 0 || !options_is_line(name, name_size) ||
        !options_is_line(value, value_size)) {
      options_raise(from, "option 'headers' must hold one line each");
    }
    if (rule->header_count == FAULT_MAX_HEADERS) {
      options_raise(from, "option 'headers' holds at most %d",
                    FAULT_MAX_HEADERS);
    }
    rule->headers[rule->header_count++] = (FaultHeader){name, value};
    lua_pop(L, 1);
  }
}

static void require_option(const Options *from, const char *action, bool there,
                           const char *name) {
  if (!there) {
    options_raise(from, "action '%s' needs option '%s'", action, name);
  }
}

/* What each action cannot do without. */
static void check_fault(const Options *from, const Fault *rule) {
  const char *action = ACTION_NAMES[rule->action];
  if ((rule->action == FAULT_FAIL) != (rule->on == ON_JOB)) {
    options_raise(from, "action 'fail' goes with on = 'job', and only so");
  }
  switch (rule->action) {
  case FAULT_STATUS:
    require_option(from, action, rule->status != 0, "status");
    break;
  case FAULT_DELAY:
    require_option(from, action, rule->seconds >= 0, "seconds");
    break;
  case FAULT_TRUNCATE:
    require_option(from, action, rule->bytes != SIZE_MAX, "bytes");
    break;
  case FAULT_REDIRECT:
    require_option(from, action, rule->location != NULL, "location");
    break;
  case FAULT_BODY:
    require_option(from, action, rule->body != NULL, "body");
    break;
  default:
    break;
  }
}

static double read_count(const Options *from, const char *name, double least,
                         double otherwise) {
  return options_integer(from, name, least, HUGE_VAL, otherwise);
}

static uint64_t to_count(double value) {
  return value > WHOLE_MAX ? FAULT_ALWAYS : (uint64_t)value;
}

static void read_amounts(const Options *from, Fault *rule) {
  double bytes = options_integer(from, "bytes", 0, 1e12, -1);
  bool redirect = rule->action == FAULT_REDIRECT;
  rule->times = to_count(read_count(from, "times", 1, 1));
  rule->after = to_count(read_count(from, "after", 0, 0));
  rule->status =
      (unsigned)options_integer(from, "status", 200, 599, redirect ? 302 : 0);
  rule->seconds = options_number(from, "seconds", 0, 1e6, -1);
  rule->chunked = options_boolean(from, "chunked", false);
  rule->bytes = bytes >= 0 ? (size_t)bytes : SIZE_MAX;
  if (rule->action == FAULT_OVERSIZE && rule->bytes == SIZE_MAX) {
    rule->bytes = 0;
  }
  /* Refusing means that nothing was done; all else happens on the way back. */
  bool refuses = rule->action == FAULT_STATUS || redirect;
  rule->work = options_boolean(from, "work", !refuses);
}

static void read_fault(const Options *from, Fault *rule) {
  static const char *const NAMES[] = {
      "on",      "action",   "times", "after", "work",    "body",    "status",
      "headers", "location", "error", "bytes", "chunked", "seconds", NULL};
  enum { BODY_MAX = 16 * 1024 * 1024, LOCATION_MAX = 8192 };
  options_check(from, NAMES);
  int action = options_choice(from, "action", ACTION_NAMES);
  int on = options_choice(from, "on", ON_NAMES);
  if (action < 0) {
    options_raise(from, "option 'action' is missing");
  }
  if (on < 0 && action != FAULT_FAIL) {
    options_raise(from, "option 'on' is missing");
  }
  rule->action = (FaultAction)action;
  rule->on = on < 0 ? ON_JOB : (FaultOn)on;
  read_amounts(from, rule);
  rule->body = options_text(from, "body", &rule->body_size);
  if (rule->body_size > BODY_MAX) {
    options_raise(from, "option 'body' holds at most %d bytes", BODY_MAX);
  }
  rule->location = options_line(from, "location", LOCATION_MAX);
  rule->error = options_line(from, "error", SERVICE_MAX_ERROR - 1);
  if (rule->error == NULL) {
    rule->error = "generation_failed";
  }
  check_fault(from, rule);
}

/* ARG: rule
** RES: */
static int m_fault(lua_State *L) {
  Server *server = check_server(L);
  Fault rule = {0};
  Options from = {L, 2, "fault"};
  lua_settop(L, 2);
  read_fault(&from, &rule);
  lua_getfield(L, 2, "headers");
  if (lua_istable(L, -1)) {
    read_headers(&from, &rule);
  } else if (!lua_isnil(L, -1)) {
    options_raise(&from, "option 'headers' must be a table, got %s",
                  luaL_typename(L, -1));
  }
  if (!server_fault(server, &rule)) {
    return luaL_error(L, "not enough memory");
  }
  return 0;
}

/* RES: */
static int m_clear(lua_State *L) {
  server_clear(check_server(L));
  return 0;
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
  if (size < sizeof stem) {
    memcpy(stem, name, size - (plain ? 4 : 0));
  }
  luaL_argcheck(L, strlen(name) == size && answer_is_name(stem), 2,
                "a name of letters, digits, '_' and '-' expected");
  lua_pushfstring(L, "%s/reference/%s.%s", server->url, stem,
                  plain ? "txt" : "png");
  return 1;
}

/* RES: table */
static int m_ledger(lua_State *L) {
  views_push_ledger(L, check_server(L));
  return 1;
}

/* Ends the threads; the books stay. Repeatable; __close is the same.
** RES: */
static int m_stop(lua_State *L) {
  Sandbox *sandbox = luaL_checkudata(L, 1, SANDBOX_TYPE);
  if (sandbox->server != NULL) {
    server_stop(sandbox->server);
  }
  return 0;
}

static int m__gc(lua_State *L) {
  Sandbox *sandbox = luaL_checkudata(L, 1, SANDBOX_TYPE);
  if (sandbox->server != NULL) {
    server_free(sandbox->server);
    sandbox->server = NULL;
  }
  return 0;
}

static int m__tostring(lua_State *L) {
  Sandbox *sandbox = luaL_checkudata(L, 1, SANDBOX_TYPE);
  Server *server = sandbox->server;
  lua_pushfstring(L, "%s (%s)", SANDBOX_TYPE,
                  server != NULL && server->running ? server->url : "stopped");
  return 1;
}

/* The fields; all else is a method (upvalue 1: their table).
** ARG: name
** RES: value | nil */
static int m__index(lua_State *L) {
  Sandbox *sandbox = luaL_checkudata(L, 1, SANDBOX_TYPE);
  Server *server = sandbox->server;
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (server != NULL && strcmp(name, "url") == 0) {
    lua_pushstring(L, server->url);
  } else if (server != NULL && strcmp(name, "api_key") == 0) {
    lua_pushstring(L, server->options.api_key);
  } else if (server != NULL && strcmp(name, "ca_file") == 0) {
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
  static const luaL_Reg FUNCTIONS[] = {{"start", f_start}, {NULL, NULL}};
  compat_check_version(L);
  create_type(L);
  lua_newtable(L);
  compat_set_functions(L, FUNCTIONS);
  return 1;
}
