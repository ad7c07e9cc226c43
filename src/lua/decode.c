/* The service's replies, read: see decode.h. */
#include "decode.h"

#include "../engine/url.h"

#include <math.h>

#define CODE_MAX 128   /* bytes of an error code we repeat */
#define RESULTS_MAX 64 /* more is not a reply to a count of 1 to 4 */

DecodedStatus decode_status(lua_State *L) {
  static const struct {
    const char *name;
    DecodedStatus status;
  } known[] = {{"pending", DECODED_PENDING},
               {"running", DECODED_RUNNING},
               {"succeeded", DECODED_SUCCEEDED},
               {"failed", DECODED_FAILED}};
  DecodedStatus status = DECODED_NONE;
  lua_getfield(L, -1, "status");
  if (lua_type(L, -1) == LUA_TSTRING)
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
      if (strcmp(lua_tostring(L, -1), known[i].name) == 0)
        status = known[i].status;
  lua_pop(L, 1);
  return status;
}

bool decode_push_id(lua_State *L) {
  size_t length;
  const char *id;
  lua_getfield(L, -1, "jobId");
  id = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
  if (id && url_is_job_id(id, length))
    return true;
  lua_pop(L, 1);
  return false;
}

/* Behind a name: white space, a colon, white space, a quote. */
static const char *skip_to_value(const char *at, const char *end) {
  bool colon = false;
  for (; at < end; at++) {
    if (*at == ':' && !colon)
      colon = true;
    else if (*at == '"')
      return colon ? at + 1 : NULL;
    else if (!strchr(" \t\r\n", *at) || *at == '\0')
      return NULL;
  }
  return NULL;
}

bool decode_find_id(lua_State *L, const char *bytes, size_t length) {
  static const char name[] = "\"jobId\"";
  const char *end;
  const char *found;
  const char *id;
  const char *quote;
  if (!bytes || !(found = memmem(bytes, length, name, sizeof name - 1)))
    return false;
  end = bytes + length;
  id = skip_to_value(found + sizeof name - 1, end);
  quote = id ? memchr(id, '"', (size_t)(end - id)) : NULL;
  if (!quote || !url_is_job_id(id, (size_t)(quote - id)))
    return false;
  lua_pushlstring(L, id, (size_t)(quote - id));
  return true;
}

bool decode_balance(lua_State *L, Balance *balance) {
  static const char *const names[BALANCE_FIELDS] = {
      "paidCredits", "freeImagesRemaining", "totalImages", "freeImagesPerDay"};
  lua_getfield(L, -1, "balance");
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  for (size_t i = 0; i < BALANCE_FIELDS; i++) {
    lua_getfield(L, -1, names[i]);
    balance->fields[i] = lua_type(L, -1) == LUA_TNUMBER
                             ? (double)lua_tonumber(L, -1)
                             : (double)NAN;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return true;
}

/* to[name] = from[wire] as printable text; false when it is not a text.
 * `from` is below `to`, which is on top. */
static bool copy_text(lua_State *L, const char *wire, const char *name) {
  size_t length;
  const char *text;
  lua_getfield(L, -2, wire);
  if (lua_type(L, -1) == LUA_TNUMBER) { /* a seed that came as a number */
    compat_pushwhole(L, (double)lua_tonumber(L, -1));
    lua_remove(L, -2);
  }
  text = lua_tolstring(L, -1, &length);
  if (!text) {
    lua_pop(L, 1);
    return false;
  }
  if (!error_is_printable(text, length, true)) {
    error_push_printable(L, text, length, true);
    lua_replace(L, -2);
  }
  lua_setfield(L, -2, name);
  return true;
}

/* Replaces the raw result on top by ours; false (popping it) when it has no
 * URL. */
static bool read_result(lua_State *L) {
  bool usable;
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  lua_createtable(L, 0, 3);
  usable = copy_text(L, "imageUrl", "image_url");
  copy_text(L, "seed", "seed");
  copy_text(L, "finalPrompt", "final_prompt");
  lua_remove(L, -2);
  if (!usable)
    lua_pop(L, 1);
  return usable;
}

bool decode_push_results(lua_State *L) {
  int count;
  int usable = 0;
  lua_getfield(L, -1, "results");
  count = lua_istable(L, -1) ? (int)compat_rawlen(L, -1) : 0;
  if (count < 1 || count > RESULTS_MAX) {
    lua_pop(L, 1);
    return false;
  }
  lua_createtable(L, count, 0);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, -2, i);
    if (read_result(L))
      lua_rawseti(L, -2, ++usable);
  }
  lua_remove(L, -2);
  if (usable > 0)
    return true;
  lua_pop(L, 1);
  return false;
}

bool decode_push_error(lua_State *L, const char *secret) {
  size_t length;
  const char *text;
  lua_getfield(L, -1, "error");
  text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
  if (!text || length == 0) {
    lua_pop(L, 1);
    return false;
  }
  error_push_without(L, text, length, secret); /* in all of it, then cut */
  text = lua_tolstring(L, -1, &length);
  error_push_printable(L, text, length < CODE_MAX ? length : CODE_MAX, false);
  lua_remove(L, -2);
  lua_remove(L, -2);
  return true;
}
