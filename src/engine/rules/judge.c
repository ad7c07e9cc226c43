/* The one judge of replies: see judge.h. */
#include "judge.h"

#include "engine/base/url.h"

static BodySays read_success(const ApiReply *reply) {
  return reply->result_count > 0 ? SAYS_SUCCEEDED : SAYS_EMPTY;
}

static BodySays read_status(const ApiReply *reply) {
  switch (reply->status) {
  case API_SUCCEEDED:
    return read_success(reply);
  case API_FAILED:
    return SAYS_FAILED;
  case API_PENDING:
  case API_RUNNING:
    return SAYS_WAITING;
  case API_NONE:
    break;
  }
  return reply->said.length > 0 ? SAYS_STRANGE : SAYS_NOTHING;
}

Judged judge_create(ApiReply *reply, const char *bytes, size_t length) {
  Judged judged = {.readable = api_reply_read(reply, bytes, length)};
  if (!judged.readable) { /* it may be the beginning of one */
    judged.id = api_reply_job_id(bytes, length);
    return judged;
  }
  judged.id = reply->id;
  judged.says = read_status(reply);
  return judged;
}

/* One without an id answers to the id in the URL. */
static bool is_named(const ApiReply *reply, const char *id) {
  char text[JOB_ID_MAX];
  size_t length;
  if (!reply->id.at)
    return true;
  length = api_reply_copy_id(&reply->id, text);
  return strlen(id) == length && memcmp(id, text, length) == 0;
}

Judged judge_poll(ApiReply *reply, const char *bytes, size_t length,
                  const char *id) {
  Judged judged = {.readable = api_reply_read(reply, bytes, length)};
  if (!judged.readable || !is_named(reply, id))
    return judged;
  if (reply->word == WORD_TROUBLE && !reply->id.at)
    judged.says = SAYS_TROUBLE;
  else
    judged.says = read_status(reply);
  return judged;
}

bool judge_vouches(const Judged *judged) {
  return judged->says != SAYS_NOTHING && judged->says != SAYS_TROUBLE;
}

const char *judge_charged_of_failure(const ApiReply *reply, bool twice,
                                     bool paid) {
  if (twice)
    return paid ? "yes" : "unknown";
  return reply->word == WORD_DOCUMENTED ? "refund_expected" : "unknown";
}
