/*
 * The reader of replies against lua-cjson: what both take must mean the same.
 * The rules are in json.lua, which asks for the reader's view.
 */
#include "fuzz.h"

#include "engine/base/json_reader.h"
#include "lua_state.h"

#include <lauxlib.h>
#include <math.h>

#define DEPTH_MAX 32 /* the reader goes no deeper */

static void push_text(lua_State *L, const JsonPiece *piece) {
  char *text = lua_newuserdatauv(L, piece->length + 1, 0);
  size_t length = json_unescape(piece, text);
  check(length <= piece->length, "a text grew");
  lua_pushlstring(L, text, length);
  lua_remove(L, -2);
}

/* A number that the reader does not tell is "?", null is "null": a table, as
 * every scalar that is no text. */
static void push_word(lua_State *L, const char *word) {
  lua_createtable(L, 0, 1);
  lua_pushstring(L, word);
  lua_setfield(L, -2, "word");
}

static void push_scalar(lua_State *L, JsonReader *reader) {
  JsonPiece piece = {0};
  JsonKind kind = json_peek(reader);
  const char *at = reader->at;
  double number;
  if (kind == JSON_TEXT) {
    piece = json_read_text(reader);
    if (piece.at)
      push_text(L, &piece);
    else
      lua_pushnil(L);
  } else if (kind == JSON_NUMBER) {
    piece = json_read_number(reader);
    number = piece.at ? json_to_double(&piece) : (double)NAN;
    if (isnan(number))
      push_word(L, "?");
    else
      lua_pushnumber(L, number);
  } else {
    json_skip(reader);
    push_word(L, kind == JSON_NULL ? "null" : *at == 't' ? "true" : "false");
  }
}

/* What the reader finds next, in the table below: with its name, or as the
 * next element. */
static void add(lua_State *L, bool object) {
  if (object) /* table, name, value */
    lua_rawset(L, -3);
  else
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* Pushes the value that comes next, whatever is inside.  The open tables and
 * the names of those that are members lie on the stack. */
static void push_value(lua_State *L, JsonReader *reader) {
  bool objects[DEPTH_MAX + 1] = {false};
  unsigned depth = 0;
  for (;;) {
    JsonKind kind = json_peek(reader);
    JsonPiece name;
    if (kind == JSON_OBJECT || kind == JSON_ARRAY) {
      json_enter(reader);
      if (reader->broken)
        return;
      objects[++depth] = kind == JSON_OBJECT;
      lua_newtable(L);
    } else {
      push_scalar(L, reader);
      if (depth == 0 || reader->broken)
        return;
      add(L, objects[depth]);
    }
    while (objects[depth] ? !json_next_member(reader, &name)
                          : !json_next_element(reader)) {
      if (reader->broken || --depth == 0)
        return;
      add(L, objects[depth]);
    }
    if (objects[depth])
      push_text(L, &name);
  }
}

/* ARG: bytes
** RES: the value as the reader has it | nothing, when it refuses them */
static int read_it(lua_State *L) {
  JsonReader reader;
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  bool whole;
  luaL_checkstack(L, 3 * DEPTH_MAX, NULL);
  json_begin(&reader, bytes, length);
  json_skip(&reader); /* as it is done with what nobody wants */
  whole = json_ended(&reader);
  json_begin(&reader, bytes, length);
  push_value(L, &reader);
  check(json_ended(&reader) == whole, "read and skipped differ");
  return whole ? 1 : 0;
}

static int open_reader(lua_State *L) {
  lua_pushcfunction(L, read_it);
  return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static lua_State *L;
  if (!L)
    L = lua_state_open("json.lua", open_reader);
  lua_state_try(L, data, size);
  return 0;
}
