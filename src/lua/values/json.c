/*
 * JSON, by lua-cjson: a private instance whose settings no host can change.  It
 * writes what we send and reads what we recorded; what the service sends is
 * read in place (json_reader.c), at a fifth of the cost.
 *
 * lua-cjson ends the process when it runs out of memory, and trusts its input's
 * size: the caps on requests (32 KiB) and replies (1 MiB) keep both away.
 */
#include "json.h"

#include "engine/base/limits.h"

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
  configure(L, "decode_max_depth", -1, JSON_DEPTH_MAX);
  configure(L, "decode_invalid_numbers", 0, 0);
  configure(L, "encode_invalid_numbers", 0, 0);
  lua_getfield(L, -1, "encode");
  compat_setregistry(L, &encode_key);
  lua_getfield(L, -1, "decode");
  compat_setregistry(L, &decode_key);
  lua_pop(L, 2);
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

/* ---- requests ---- */

/* True when the text needs nothing but quotes round it: the encoder would
 * change none of its bytes. */
static bool needs_only_quotes(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c < 0x20 || c == '"' || c == '\\' || c == '/' || c == 0x7f)
      return false;
  }
  return true;
}

/* Replaces the value on top by its JSON. */
static void encode_top(lua_State *L) {
  compat_getregistry(L, &encode_key);
  lua_insert(L, -2);
  lua_call(L, 1, 1);
  if (!lua_isstring(L, -1))
    luaL_error(L, "a request holds a value that JSON has not");
}

/* Appends `lead` and the JSON of the value on top, and pops it.  A table below
 * keeps it alive: nothing may lie above the buffer while it grows. */
static void add_top(lua_State *L, luaL_Buffer *out, const char *lead) {
  size_t length = 0;
  bool text = lua_type(L, -1) == LUA_TSTRING;
  const char *bytes = text ? lua_tolstring(L, -1, &length) : NULL;
  if (text && needs_only_quotes(bytes, length)) {
    lua_pop(L, 1);
    luaL_addstring(out, lead);
    luaL_addchar(out, '"');
    luaL_addlstring(out, bytes, length);
    luaL_addchar(out, '"');
    return;
  }
  if (lua_type(L, -1) == LUA_TNUMBER) { /* counts: no ".0" */
    lua_pushfstring(L, "%s%d", lead, (int)lua_tointeger(L, -1));
  } else {
    encode_top(L);
    lua_pushfstring(L, "%s%s", lead, lua_tostring(L, -1));
  }
  lua_replace(L, -2);
  luaL_addvalue(out);
}

/* Appends `,"imageUrls":[...]` where there is such a list at `urls`. */
static void add_urls(lua_State *L, luaL_Buffer *out, int urls) {
  int count = lua_istable(L, urls) ? (int)compat_rawlen(L, urls) : 0;
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, urls, i);
    add_top(L, out, i == 1 ? ",\"imageUrls\":[" : ",");
  }
  if (count > 0)
    luaL_addchar(out, ']');
}

void json_push_request(lua_State *L, int index) {
  static const struct {
    const char *name;
    const char *lead;
  } fields[] = {{"prompt", "{\"prompt\":"}, {"mode", ",\"mode\":"},
                {"ratio", ",\"ratio\":"},   {"count", ",\"count\":"},
                {"style", ",\"style\":"},   {"lighting", ",\"lighting\":"},
                {"camera", ",\"camera\":"}, {"negative", ",\"negative\":"}};
  luaL_Buffer out;
  int urls = lua_gettop(L) + 1;
  index = compat_absindex(L, index);
  luaL_checkstack(L, 24, NULL);
  lua_getfield(L, index, "image_urls");
  luaL_buffinit(L, &out);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    lua_getfield(L, index, fields[i].name);
    if (lua_isnil(L, -1))
      lua_pop(L, 1);
    else
      add_top(L, &out, fields[i].lead);
  }
  add_urls(L, &out, urls);
  luaL_addchar(&out, '}');
  luaL_pushresult(&out);
  lua_remove(L, urls);
}

/* ARG: a request, checked
** RES: the very bytes that are sent for it */
int json_encode_request(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  json_push_request(L, 1);
  return 1;
}

/* ---- records ---- */

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
