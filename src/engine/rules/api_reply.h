/*
 * The service's replies, read: what a body means for a job.
 *
 * Server text is never trusted: of what is not as documented nothing is taken.
 * Pure: any thread.
 */
#ifndef GPTIMAGE2_ENGINE_API_REPLY_H
#define GPTIMAGE2_ENGINE_API_REPLY_H

#include "engine/base/json_reader.h"

#define RESULTS_MAX 64 /* those behind are not read: a count is at most 4 */

/* paid_credits, free_images_remaining, total_images, free_images_per_day */
#define BALANCE_FIELDS 4

typedef enum ApiStatus {
  API_NONE, /* no status, or one we do not know */
  API_PENDING,
  API_RUNNING,
  API_SUCCEEDED,
  API_FAILED
} ApiStatus;

/* What the status that was read says of the money and of itself. */
typedef enum ApiWord {
  WORD_DOCUMENTED, /* or none */
  WORD_ENDED,      /* "cancelled", "expired": nobody has promised a refund */
  WORD_TROUBLE     /* "error": perhaps of this answer alone, not of the job */
} ApiWord;

/* Texts, or numbers. */
typedef struct ApiResult {
  JsonPiece image_url, seed, final_prompt;
} ApiResult;

/* The credits that a reply told of.  NAN = not told; a table would cost more,
 * and there may be thousands of jobs. */
typedef struct Balance {
  double fields[BALANCE_FIELDS];
} Balance;

/* A reply.  Its pieces are pieces of the bytes it was read from. */
typedef struct ApiReply {
  ApiStatus status;
  ApiWord word;
  JsonPiece said; /* the status, as it was sent */
  JsonPiece id;   /* none when it is no valid one; see api_reply_copy_id */
  JsonPiece error;
  bool has_balance;
  Balance balance;
  size_t result_count;
  ApiResult results[RESULTS_MAX]; /* those with a URL */
} ApiReply;

/* Writes an id of a reply (at most JOB_ID_MAX bytes) without its escapes, and
 * returns its length. */
size_t api_reply_copy_id(const JsonPiece *id, char *to);

/* False when the bytes (NULL: none came) are no JSON object: then nothing in
 * `reply` may be believed. */
bool api_reply_read(ApiReply *reply, const char *bytes, size_t length);

/* The id in the answer to a create, all of which came or only the beginning, as
 * when the connection was lost, or a length that it told was too small.  None
 * where it is no answer at all, or goes wrong further on. */
JsonPiece api_reply_job_id(const char *bytes, size_t length);

#endif
