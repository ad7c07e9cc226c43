/*
 * Run-time failures: tables with the metatable "gptimage2.Error".
 *
 * Texts may come from a server: control characters, those of the direction of
 * writing among them, are made visible before they are stored, so that printing
 * an error cannot drive a terminal, nor begin a line of a log, nor make one
 * read as what it is not.  `body` alone is kept as it came.
 */
#include "error.h"

#include "engine/base/printable.h"
#include "lua/values/fields.h"
#include "retryable.h"

#define BODY_MAX ((size_t)4096) /* bytes of a reply kept in err.body */

static const char no_memory_key = 'n';

bool error_is_printable(const char *text, size_t length, bool lines) {
  return printable_length(text, length, lines) == length;
}

void error_push_printable(lua_State *L, const char *text, size_t length,
                          bool lines) {
  size_t plain = printable_length(text, length, lines);
  luaL_Buffer buffer;
  char escape[PRINTABLE_ESCAPE_MAX];
  luaL_buffinit(L, &buffer);
  luaL_addlstring(&buffer, text, plain);
  while (plain < length) {
    size_t hidden;
    text += plain;
    length -= plain;
    hidden = printable_escape(text, length, lines, escape);
    luaL_addstring(&buffer, escape);
    text += hidden;
    length -= hidden;
    plain = printable_length(text, length, lines);
    luaL_addlstring(&buffer, text, plain);
  }
  luaL_pushresult(&buffer);
}

void error_set(lua_State *L, const char *field, const char *value) {
  error_push_printable(L, value, strlen(value), false);
  lua_setfield(L, -2, field);
}

void error_set_number(lua_State *L, const char *field, double value) {
  compat_pushwhole(L, value);
  lua_setfield(L, -2, field);
}

bool error_says(lua_State *L, const char *field, const char *text) {
  const char *value = field_text(L, -1, field);
  return value && strcmp(value, text) == 0;
}

void error_set_retryable(lua_State *L, bool retryable) {
  lua_pushboolean(L, retryable);
  lua_setfield(L, -2, "retryable");
}

void error_complete(lua_State *L) {
  lua_getfield(L, -1, "code");
  lua_getfield(L, -2, "kind");
  lua_getfield(L, -3, "retryable");
  if (lua_isnil(L, -1) && lua_isstring(L, -2) && lua_isstring(L, -3)) {
    lua_getfield(L, -4, "status");
    lua_pushboolean(L, retryable(lua_tostring(L, -3), lua_tostring(L, -4),
                                 (int)lua_tointeger(L, -1)));
    lua_setfield(L, -6, "retryable");
    lua_pop(L, 1);
  }
  lua_pop(L, 3);
}

void error_push(lua_State *L, const char *kind, const char *code,
                const char *message) {
  lua_createtable(L, 0, 8);
  luaL_getmetatable(L, ERROR_TYPE);
  lua_setmetatable(L, -2);
  error_set(L, "kind", kind);
  error_set(L, "code", code);
  error_set(L, "message", message);
  error_complete(L);
}

void error_set_body(lua_State *L, const char *body, size_t length) {
  if (!body)
    return;
  lua_pushlstring(L, body, length < BODY_MAX ? length : BODY_MAX);
  lua_setfield(L, -2, "body");
}

int error_return(lua_State *L) {
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

/* A field as printable text, or `fallback`. */
static void push_field(lua_State *L, const char *field, const char *fallback) {
  size_t length;
  const char *text;
  lua_getfield(L, 1, field);
  text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
  if (text)
    error_push_printable(L, text, length, false);
  else
    lua_pushstring(L, fallback);
  lua_remove(L, -2);
}

/* message (kind/code) */
static int m__tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  push_field(L, "message", "unknown error");
  lua_pushliteral(L, " (");
  push_field(L, "kind", "?");
  lua_pushliteral(L, "/");
  push_field(L, "code", "?");
  lua_pushliteral(L, ")");
  lua_concat(L, 6);
  return 1;
}

/* ARG: err, text
** RES: "err text": errors can be put into messages with .. */
static int m__concat(lua_State *L) {
  for (int i = 1; i <= 2; i++) {
    lua_getglobal(L, "tostring");
    lua_pushvalue(L, i);
    lua_call(L, 1, 1);
  }
  lua_concat(L, 2);
  return 1;
}

/* The module table is on top. */
void error_open_methods(lua_State *L) {
  luaL_getmetatable(L, ERROR_TYPE);
  lua_getfield(L, -1, "__index");
  lua_setfield(L, -3, "error_methods");
  lua_pop(L, 1);
}

void error_push_no_memory(lua_State *L) {
  compat_getregistry(L, &no_memory_key);
}

void error_open(lua_State *L) {
  static const luaL_Reg meta[] = {
      {"__tostring", m__tostring}, {"__concat", m__concat}, {NULL, NULL}};
  luaL_newmetatable(L, ERROR_TYPE);
  compat_setfuncs(L, meta);
  lua_pushliteral(L, ERROR_TYPE);
  lua_setfield(L, -2, "__name");
  lua_newtable(L); /* the Lua side completes it */
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  error_push(L, "io", "out_of_memory",
             "this program had no memory for what came back: what was paid is "
             "in the ledger, and in the account's history");
  error_set_retryable(L, false); /* it may be of a create that was paid */
  compat_setregistry(L, &no_memory_key);
}
