/*
 * What the body of an answer says of its job: the one judge of replies.
 *
 * What follows from it is job_state.h's to say.  Server text is never trusted:
 * an answer that names another job says nothing of this one.  Pure: any thread.
 */
#ifndef GPTIMAGE2_ENGINE_JUDGE_H
#define GPTIMAGE2_ENGINE_JUDGE_H

#include "api_reply.h"
#include "policy.h"

typedef struct Judged {
  BodySays says;
  bool readable; /* all of it is a JSON object: `reply` was read from it */
  JsonPiece id;  /* of a create: that it gives the job; none = no valid one */
} Judged;

/* The answer to a create, whole or only its beginning.  `reply` is filled where
 * it is readable. */
Judged judge_create(ApiReply *reply, const char *bytes, size_t length);

/* The answer to a poll of the job with this id. */
Judged judge_poll(ApiReply *reply, const char *bytes, size_t length,
                  const char *id);

/* Whether it tells of the job at all: an id that a user gave is hearsay until
 * the service does. */
bool judge_vouches(const Judged *judged);

/* What a job costs about which the service said this much; static.  `reply`
 * says that it failed: only for "failed" it has promised to give the credits
 * back.  `twice`: an earlier create may have made another job; `paid`: it was
 * charged. */
const char *judge_charged_of_failure(const ApiReply *reply, bool twice,
                                     bool paid);

#endif
