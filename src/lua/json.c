/*
 * JSON, by lua-cjson: a private instance whose settings no host can change.
 *
 * lua-cjson ends the process when it runs out of memory, and trusts its input's
 * size: the caps on requests (32 KiB) and replies (1 MiB) keep both away.
 */
#include "core.h"

#define DEPTH_MAX 32 /* nesting of a reply: design, "Caps" */

static const char encode_key = 'e';
static const char decode_key = 'd';

/* instance.name(argument) on the instance on top */
static void configure(lua_State *L, const char *name, int boolean, int number) {
  lua_getfield(L, -1, name);
  if (boolean >= 0)
    lua_pushboolean(L, boolean);
  else
    lua_pushinteger(L, number);
  lua_call(L, 1, 0);
}

void json_open(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "cjson.safe");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "new");
  lua_call(L, 0, 1);
  configure(L, "decode_max_depth", -1, DEPTH_MAX);
  configure(L, "decode_invalid_numbers", 0, 0);
  configure(L, "encode_invalid_numbers", 0, 0);
  lua_getfield(L, -1, "encode");
  compat_setregistry(L, &encode_key);
  lua_getfield(L, -1, "decode");
  compat_setregistry(L, &decode_key);
  lua_pop(L, 2);
}

/* Replaces the value on top by its JSON. */
static void encode_top(lua_State *L) {
  compat_getregistry(L, &encode_key);
  lua_insert(L, -2);
  lua_call(L, 1, 1);
}

/* ARG: string, number or boolean
** RES: JSON text | nil, message */
int json_encode(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  compat_getregistry(L, &encode_key);
  lua_insert(L, 1);
  lua_call(L, 1, LUA_MULTRET);
  return lua_gettop(L);
}

/* Pushes `,"wire":value` for a field that is there; the number of pieces. */
static int push_field(lua_State *L, int index, const char *name,
                      const char *wire, bool first) {
  lua_getfield(L, index, name);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return 0;
  }
  if (lua_type(L, -1) == LUA_TNUMBER) /* counts: 14 digits and no ".0" */
    lua_pushfstring(L, "%d", (int)lua_tointeger(L, -1)), lua_remove(L, -2);
  else
    encode_top(L);
  lua_pushfstring(L, "%s\"%s\":", first ? "{" : ",", wire);
  lua_insert(L, -2);
  return 2;
}

/* Pushes `,"imageUrls":[...]` where there are any; the number of pieces. */
static int push_urls(lua_State *L, int index) {
  int pieces = 0;
  int count;
  lua_getfield(L, index, "image_urls");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return 0;
  }
  count = (int)compat_rawlen(L, -1);
  luaL_checkstack(L, 2 * count + 8, "too many image_urls");
  for (int i = 1; i <= count; i++) {
    lua_pushstring(L, i == 1 ? ",\"imageUrls\":[" : ",");
    lua_rawgeti(L, -2 * i, i);
    encode_top(L);
    pieces += 2;
  }
  lua_pushliteral(L, "]");
  lua_remove(L, -pieces - 2);
  return pieces + 1;
}

void json_push_request(lua_State *L, int index) {
  int pieces = 0;
  index = compat_absindex(L, index);
  luaL_checkstack(L, 24, NULL);
  pieces += push_field(L, index, "prompt", "prompt", true);
  pieces += push_field(L, index, "mode", "mode", false);
  pieces += push_field(L, index, "ratio", "ratio", false);
  pieces += push_field(L, index, "count", "count", false);
  pieces += push_field(L, index, "style", "style", false);
  pieces += push_field(L, index, "lighting", "lighting", false);
  pieces += push_field(L, index, "camera", "camera", false);
  pieces += push_field(L, index, "negative", "negative", false);
  pieces += push_urls(L, index);
  lua_pushliteral(L, "}");
  lua_concat(L, pieces + 1);
}

bool json_push_object(lua_State *L, const char *bytes, size_t length) {
  /* lua-cjson stops at a NUL and believes what came before it. */
  if (!bytes || memchr(bytes, '\0', length))
    return false;
  compat_getregistry(L, &decode_key);
  lua_pushlstring(L, bytes, length);
  lua_call(L, 1, 1);
  if (lua_istable(L, -1))
    return true;
  lua_pop(L, 1);
  return false;
}
