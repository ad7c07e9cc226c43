/*
 * A table of texts as JSON for people to read, sorted: a job's metadata in its
 * sidecar.  In C, for it is made inside of somebody's frame, and may have
 * thousands of fields; in pieces, for one text of all of it would be a large
 * piece of memory.
 */
#include "json_map.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 4096 /* bytes */

/* A field's name, which the list of them keeps alive. */
typedef struct Name {
  uint64_t first; /* its first bytes: they tell most names apart */
  const char *bytes;
  size_t length;
  int at; /* in that list */
} Name;

typedef struct Writer {
  lua_State *L;
  int pieces; /* the index of their list */
  int count;
  bool begun;  /* there is a field */
  size_t used; /* bytes of the piece that is written */
  char piece[PIECE];
} Writer;

static void flush(Writer *out) {
  lua_pushlstring(out->L, out->piece, out->used);
  lua_rawseti(out->L, out->pieces, ++out->count);
  out->used = 0;
}

static void add(Writer *out, const char *bytes, size_t length) {
  while (length > 0) {
    size_t room = PIECE - out->used;
    size_t part = length < room ? length : room;
    memcpy(out->piece + out->used, bytes, part);
    out->used += part;
    bytes += part;
    length -= part;
    if (out->used == PIECE)
      flush(out);
  }
}

static bool is_special(char c) {
  return (unsigned char)c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

/* As lua-cjson writes it, but for slashes, which need nothing. */
static void add_special(Writer *out, char c) {
  static const char letters[] = "\bb\tt\nn\ff\rr\"\"\\\\";
  char text[8];
  for (size_t i = 0; i + 1 < sizeof letters; i += 2)
    if (letters[i] == c) {
      add(out, (char[]){'\\', letters[i + 1]}, 2);
      return;
    }
  snprintf(text, sizeof text, "\\u%04x", (unsigned)(unsigned char)c);
  add(out, text, 6);
}

static void add_text(Writer *out, const char *bytes, size_t length) {
  add(out, "\"", 1);
  while (length > 0) {
    size_t plain = 0;
    while (plain < length && !is_special(bytes[plain]))
      plain++;
    add(out, bytes, plain);
    if (plain < length)
      add_special(out, bytes[plain++]);
    bytes += plain;
    length -= plain;
  }
  add(out, "\"", 1);
}

/* The number of fields of the table at 1; -1 when not all are texts. */
static int count_fields(lua_State *L) {
  int count = 0;
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
      return -1;
    lua_pop(L, 1);
    count++;
  }
  return count;
}

/* Fills the list at 2 with the names of the first `count` fields; gives how
 * many there are. */
static int list_names(lua_State *L, int count) {
  int have = 0;
  lua_pushnil(L);
  while (have < count && lua_next(L, 1)) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, 2, ++have);
  }
  lua_settop(L, 2);
  return have;
}

/* The first eight bytes as a number that is in their order. */
static uint64_t first_of(const char *bytes, size_t length) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; i++)
    value = value << 8 | (i < length ? (unsigned char)bytes[i] : 0);
  return value;
}

/* By their bytes, whatever the host's locale is. */
static int compare(const void *one, const void *other) {
  const Name *a = one;
  const Name *b = other;
  size_t length = a->length < b->length ? a->length : b->length;
  int order;
  if (a->first != b->first)
    return a->first < b->first ? -1 : 1;
  order = memcmp(a->bytes, b->bytes, length);
  if (order != 0)
    return order;
  return a->length < b->length ? -1 : a->length > b->length;
}

/* Pushes the sorted names of the list at 2. */
static const Name *push_sorted(lua_State *L, int count) {
  Name *names = lua_newuserdata(L, (size_t)(count ? count : 1) * sizeof *names);
  int have = 0;
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, 2, i);
    if (lua_type(L, -1) == LUA_TSTRING) { /* a number would be made a text */
      names[have].bytes = lua_tolstring(L, -1, &names[have].length);
      names[have].first = first_of(names[have].bytes, names[have].length);
      names[have++].at = i;
    }
    lua_pop(L, 1);
  }
  qsort(names, (size_t)have, sizeof *names, compare);
  return names;
}

/* A field; the value stays on the stack while it is written, for a finalizer
 * may take it out of the table. */
static void add_field(Writer *out, const Name *name) {
  lua_State *L = out->L;
  size_t length;
  const char *value;
  lua_rawgeti(L, 2, name->at);
  lua_rawget(L, 1);
  value = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
  if (value) {
    add(out, ", ", out->begun ? 2 : 0);
    out->begun = true;
    add_text(out, name->bytes, name->length);
    add(out, ": ", 2);
    add_text(out, value, length);
  }
  lua_pop(L, 1);
}

/* ARG: table
** RES: pieces of its JSON | nothing when not all of it are texts */
int json_encode_map(lua_State *L) {
  Writer out = {.L = L, .pieces = 4};
  const Name *names;
  int count;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  count = count_fields(L);
  if (count < 0)
    return 0;
  lua_createtable(L, count, 0);
  count = list_names(L, count);
  names = push_sorted(L, count);
  lua_newtable(L);
  add(&out, "{ ", 2);
  for (int i = 0; i < count; i++)
    add_field(&out, &names[i]);
  add(&out, " }", 2);
  flush(&out);
  return 1;
}
