/*
 * Pieces of the service's replies, as Lua values.
 *
 * Server text is never trusted: control characters are made visible.  The bytes
 * of a reply do not hold the API key, but what is written with escapes may turn
 * into it: "[key]" stands in place of `secret`.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_PIECES_H
#define GPTIMAGE2_LUA_PIECES_H

#include "engine/rules/api_reply.h"
#include "lua/compat.h"

#include <stdbool.h>

/* Pushes the job id; false, pushing nothing, when there is no valid one. */
bool pieces_push_id(lua_State *L, const JsonPiece *id);

/* Pushes the list of those results that have a URL; false when none has: one
 * that is broken must not cost the others, which are paid. */
bool pieces_push_results(lua_State *L, const ApiReply *reply,
                         const char *secret);

/* Pushes the service's error code in printable form; false when there is none.
 */
bool pieces_push_error(lua_State *L, const ApiReply *reply, const char *secret);

/* The same for the status, as the service worded it. */
bool pieces_push_status(lua_State *L, const ApiReply *reply,
                        const char *secret);

#endif
