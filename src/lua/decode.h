/*
 * The service's replies, read: what a body means for a job.
 *
 * Server text is never trusted: types are checked, control characters made
 * visible, whole numbers made integers.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_DECODE_H
#define GPTIMAGE2_LUA_DECODE_H

#include "core.h"
#include "json_reader.h"

#define RESULTS_MAX 64 /* more is not a reply to a count of 1 to 4 */

typedef enum DecodedStatus {
  DECODED_NONE, /* no status, or one we do not know */
  DECODED_PENDING,
  DECODED_RUNNING,
  DECODED_SUCCEEDED,
  DECODED_FAILED
} DecodedStatus;

/* Texts, or numbers. */
typedef struct DecodedResult {
  JsonPiece image_url, seed, final_prompt;
} DecodedResult;

/* A reply.  Its pieces are pieces of the bytes it was read from. */
typedef struct Decoded {
  DecodedStatus status;
  JsonPiece id; /* none when it is no valid one */
  JsonPiece error;
  bool has_balance;
  Balance balance;
  size_t result_count;
  DecodedResult results[RESULTS_MAX]; /* those with a URL */
} Decoded;

/* False when the bytes (NULL: none came) are no JSON object: then nothing in
 * `reply` may be believed. */
bool decode_reply(Decoded *reply, const char *bytes, size_t length);

/* Pushes the job id that stands in the beginning of a reply; false when none
 * does. */
bool decode_find_id(lua_State *L, const char *bytes, size_t length);

/* Pushes the job id; false, pushing nothing, when there is no valid one. */
bool decode_push_id(lua_State *L, const Decoded *reply);

/* Pushes the list of those results that have a URL; false when none has: one
 * that is broken must not cost the others, which are paid.  `secret` as below.
 */
bool decode_push_results(lua_State *L, const Decoded *reply,
                         const char *secret);

/* Pushes the service's error code in printable form; false when there is none.
 * The bytes of a reply do not hold the API key, but what is written with
 * escapes may turn into it: "[key]" stands in place of `secret`. */
bool decode_push_error(lua_State *L, const Decoded *reply, const char *secret);

#endif
