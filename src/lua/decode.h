/*
 * The service's replies, read: what a body means for a job.
 *
 * Server text is never trusted: types are checked, control characters made
 * visible, whole numbers made integers.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_DECODE_H
#define GPTIMAGE2_LUA_DECODE_H

#include "core.h"

typedef enum DecodedStatus {
  DECODED_NONE, /* no status, or one we do not know */
  DECODED_PENDING,
  DECODED_RUNNING,
  DECODED_SUCCEEDED,
  DECODED_FAILED
} DecodedStatus;

/* The reply, an object, is on top of the stack in all of these. */

DecodedStatus decode_status(lua_State *L);

/* Pushes the job id; false, pushing nothing, when there is no valid one. */
bool decode_push_id(lua_State *L);

/* Pushes the job id that stands in the beginning of a reply; false when none
 * does. */
bool decode_find_id(lua_State *L, const char *bytes, size_t length);

/* Reads the balance; false, changing nothing, when there is none. */
bool decode_balance(lua_State *L, Balance *balance);

/* Pushes the list of those results that have a URL; false when none has: one
 * that is broken must not cost the others, which are paid. */
bool decode_push_results(lua_State *L);

/* Pushes the service's error code in printable form and without `secret`; false
 * when there is none. */
bool decode_push_error(lua_State *L, const char *secret);

#endif
