/* Pieces of replies, as Lua values: see pieces.h. */
#include "pieces.h"

#include "engine/base/redact.h"
#include "engine/base/url.h"
#include "lua/shown/error.h"

#define CODE_MAX 128 /* bytes of an error code we repeat */

bool pieces_push_id(lua_State *L, const JsonPiece *id) {
  char text[JOB_ID_MAX];
  if (!id->at)
    return false;
  lua_pushlstring(L, text, api_reply_copy_id(id, text));
  return true;
}

/* Pushes the text that the piece stands for, without `secret`. */
static void push_text(lua_State *L, const JsonPiece *piece,
                      const char *secret) {
  size_t length;
  char *text;
  if (!piece->escaped) {
    lua_pushlstring(L, piece->at, piece->length);
    return;
  }
  text = lua_newuserdata(L, piece->length);
  length = redact(text, json_unescape(piece, text), secret);
  lua_pushlstring(L, text, length);
  lua_remove(L, -2);
}

/* result[name] = the piece as printable text, for the result on top. */
static void set_text(lua_State *L, const JsonPiece *piece, const char *name,
                     const char *secret) {
  size_t length;
  const char *text;
  if (!piece->at)
    return;
  push_text(L, piece, secret);
  text = lua_tolstring(L, -1, &length);
  if (!error_is_printable(text, length, true)) {
    error_push_printable(L, text, length, true);
    lua_replace(L, -2);
  }
  lua_setfield(L, -2, name);
}

bool pieces_push_results(lua_State *L, const ApiReply *reply,
                         const char *secret) {
  if (reply->result_count == 0)
    return false;
  lua_createtable(L, (int)reply->result_count, 0);
  for (size_t i = 0; i < reply->result_count; i++) {
    const ApiResult *result = &reply->results[i];
    lua_createtable(L, 0, 3);
    set_text(L, &result->image_url, "image_url", secret);
    set_text(L, &result->seed, "seed", secret);
    set_text(L, &result->final_prompt, "final_prompt", secret);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return true;
}

/* Pushes a word of the service, printable and not too long; false for none. */
static bool push_word(lua_State *L, const JsonPiece *word, const char *secret) {
  size_t length;
  const char *text;
  if (word->length == 0)
    return false;
  push_text(L, word, secret); /* all of it, then it is cut */
  text = lua_tolstring(L, -1, &length);
  error_push_printable(L, text, length < CODE_MAX ? length : CODE_MAX, false);
  lua_remove(L, -2);
  return true;
}

bool pieces_push_error(lua_State *L, const ApiReply *reply,
                       const char *secret) {
  return push_word(L, &reply->error, secret);
}

bool pieces_push_status(lua_State *L, const ApiReply *reply,
                        const char *secret) {
  return push_word(L, &reply->said, secret);
}
