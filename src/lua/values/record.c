/*
 * What the ledger's bytes mean: answers and metadata, as the Lua side asks for
 * them.
 */
#include "record.h"

#include "json.h"
#include "pieces.h"

/* ARG: reply
** RES: {status=, id=, results=, error=} | nil */
static int f_decode_reply(lua_State *L) {
  static const char *const names[] = {[API_PENDING] = "pending",
                                      [API_RUNNING] = "running",
                                      [API_SUCCEEDED] = "succeeded",
                                      [API_FAILED] = "failed"};
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  ApiReply reply;
  JsonPiece id;
  lua_newtable(L);
  if (!api_reply_read(&reply, bytes, length)) {
    id = api_reply_job_id(bytes, length);
    if (pieces_push_id(L, &id))
      lua_setfield(L, -2, "id");
    return 1;
  }
  if (reply.status != API_NONE) {
    lua_pushstring(L, names[reply.status]);
    lua_setfield(L, -2, "status");
  }
  if (pieces_push_id(L, &reply.id))
    lua_setfield(L, -2, "id");
  if (pieces_push_results(L, &reply, ""))
    lua_setfield(L, -2, "results");
  if (pieces_push_error(L, &reply, ""))
    lua_setfield(L, -2, "error");
  return 1;
}

/* ARG: JSON object
** RES: table | nil */
static int f_decode(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  if (!json_push_object(L, bytes, length))
    lua_pushnil(L);
  return 1;
}

void record_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"decode", f_decode}, {"decode_reply", f_decode_reply}, {NULL, NULL}};
  compat_setfuncs(L, functions);
}
