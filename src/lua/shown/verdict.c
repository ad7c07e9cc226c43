/*
 * How a job's failure is told: kind, code, what happened, what to do, and what
 * is known about the money.
 */
#include "verdict.h"

#include "engine/base/clock.h"
#include "error.h"
#include "lua/core.h"
#include "lua/objects/job.h"
#include "lua/values/pieces.h"
#include "retryable.h"

#include <stdio.h>

/* An answer with an error status: the kind it means, and what to say. */
typedef struct Refusal {
  int status;
  const char *kind;
  const char *code; /* where the service sent none */
  const char *advice;
} Refusal;

static const Refusal refusals[] = {
    {401, "auth", "unauthorized", "the service does not accept the API key"},
    {402, "credits", "insufficient_credits",
     "the account has not enough credits"},
    {403, "auth", "forbidden",
     "the service does not allow this with this API key"},
    {404, "not_found", "not_found", "the service does not know this job"},
    {408, "server", "request_timeout",
     "the service gave up waiting for the request"},
    {410, "not_found", "gone", "the service has forgotten this job"},
    {429, "rate_limit", "rate_limited",
     "too many requests: wait, or ask for less at once (max_active)"},
};

/* The row for a status; `other` is filled for those without one. */
static const Refusal *find_refusal(int status, Refusal *other) {
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
    if (refusals[i].status == status)
      return &refusals[i];
  if (status >= 500)
    *other = (Refusal){status, "server", "server_error", "the service failed"};
  else if (status >= 400)
    *other = (Refusal){status, "validation", "request_refused",
                       "the service refused the request"};
  else
    *other = (Refusal){status, "protocol", "unexpected_status",
                       "an API call must not be redirected or answered with "
                       "this status"};
  return other;
}

int verdict_refusal(lua_State *L) {
  Refusal other;
  const Refusal *refusal = find_refusal((int)luaL_checkinteger(L, 1), &other);
  lua_pushstring(L, refusal->kind);
  lua_pushstring(L, refusal->code);
  return 2;
}

/* What every error of a job carries.  The error is on top. */
static void set_common(lua_State *L, int index, const LuaJob *job,
                       const Event *event, const char *charged) {
  bool create =
      job->mode == JOB_MODE_GENERATE || job->mode == JOB_MODE_CREATE_ONLY;
  if (event->status)
    error_set_number(L, "status", event->status);
  if (event->delay >= 0) {
    lua_pushnumber(L, event->delay);
    lua_setfield(L, -2, "retry_after");
  }
  error_set_number(L, "attempts", job->attempts);
  if (create)
    error_set(L, "sent", event->sent ? "yes" : "no");
  error_set(L, "charged", charged);
  job_get(L, index, JOB_ID);
  lua_setfield(L, -2, "job_id");
  job_get(L, index, JOB_KEY);
  lua_setfield(L, -2, "idempotency_key");
  lua_pushnumber(L, clock_monotonic() - job->started);
  lua_setfield(L, -2, "elapsed");
  error_set_body(L, event->body, event->body_length);
}

/* "charged" for a failure that says nothing about the money by itself: a create
 * before it, perhaps by an earlier process, may have made a job; and an id that
 * a user gave may be anything. */
static const char *charged_so_far(lua_State *L, int index, const Event *event) {
  const LuaJob *job = lua_touserdata(L, index);
  if (job_is_made(L, index) || job->earlier_paid)
    return "yes";
  return event->maybe_charged || job_has_id(L, index) ? "unknown" : "no";
}

/* Pushes the code the service sent in the body, or `fallback`. */
static void push_code(lua_State *L, int index, const Event *event,
                      const char *fallback) {
  ApiReply reply;
  if (!api_reply_read(&reply, event->body, event->body_length) ||
      !pieces_push_error(L, &reply, job_api_key(L, index)))
    lua_pushstring(L, fallback);
}

/* What can be said about a refused create beside its advice. */
static const char *money_of_refused(const LuaJob *job, const Event *event) {
  if (job->earlier_paid)
    return "; an earlier create of this job was charged";
  if (event->maybe_charged)
    return "; whether the job was made and charged is not known";
  return event->status == 402 ? ": nothing was made or charged" : "";
}

static void push_refused(lua_State *L, int index, const LuaJob *job,
                         const Event *event) {
  Refusal other;
  const Refusal *refusal = find_refusal(event->status, &other);
  bool polled = job_has_id(L, index);
  const char *charged = charged_so_far(L, index, event);
  const char *advice = refusal->advice;
  const char *code;
  if (!polled && strcmp(refusal->kind, "not_found") == 0)
    advice = "the service has nothing at this address: is base_url right?";
  push_code(L, index, event, refusal->code);
  code = lua_tostring(L, -1);
  lua_pushfstring(L, "%s (HTTP %d, %s)%s", advice, event->status, code,
                  polled ? "" : money_of_refused(job, event));
  error_push(L, refusal->kind, code, lua_tostring(L, -1));
  set_common(L, index, job, event, charged);
  error_set_retryable(L, retryable_status(event->status));
  lua_remove(L, -2);
  lua_remove(L, -2);
}

static const char *detail(const Event *event) {
  return event->failure.detail ? event->failure.detail : "no details";
}

/* What did not work, for a failure of this kind. */
static const char *failed_at(const char *kind, const char *code) {
  if (strcmp(kind, "tls") == 0)
    return "no secure connection to the service";
  if (strcmp(kind, "ledger") == 0)
    return "the job could not be recorded";
  if (strcmp(kind, "budget") == 0)
    return "the tenant cannot pay for it";
  if (strcmp(code, "proxy_failed") == 0)
    return "the proxy could not be used";
  return "the service could not be reached";
}

static void push_failed(lua_State *L, int index, const LuaJob *job,
                        const Event *event) {
  const char *charged = charged_so_far(L, index, event);
  const char *kind = event->failure.kind ? event->failure.kind : "network";
  const char *code = event->failure.code ? event->failure.code : "failed";
  const char *money = "";
  if (strcmp(charged, "no") == 0)
    money = " (nothing was sent)";
  else if (strcmp(charged, "unknown") == 0 && !job_has_id(L, index))
    money = " (nothing more was sent; whether a create before made the job and "
            "charged it is not known)";
  lua_pushfstring(L, "%s: %s%s", failed_at(kind, code), detail(event), money);
  error_push(L, kind, code, lua_tostring(L, -1));
  set_common(L, index, job, event, charged);
  error_set_retryable(L, retryable(kind, code, event->status));
  lua_remove(L, -2);
}

/* Only what is true of a create that went out more than once, too. */
static const char *not_again(const LuaJob *job) {
  return job->attempts > 1 ? "" : ", and was not sent again";
}

void verdict_push_lost(lua_State *L, int index, LuaJob *job,
                       const Event *event) {
  const char *kind = event->failure.kind ? event->failure.kind : "lost";
  const char *code = event->failure.code ? event->failure.code : "lost";
  if (strcmp(kind, "protocol") != 0)
    kind = "lost";
  lua_pushfstring(L,
                  "the job was sent but its answer %s (%s): it may have been "
                  "paid%s; its idempotency key is in this error, and the "
                  "account's history tells whether it was made",
                  strcmp(kind, "lost") == 0 ? "never came" : "is of no use",
                  detail(event), not_again(job));
  error_push(L, kind, code, lua_tostring(L, -1));
  set_common(L, index, job, event, job->earlier_paid ? "yes" : "unknown");
  error_set_retryable(L, false);
  lua_remove(L, -2);
}

/* Pushes what the service said last where that is no status we know; else "".
 */
static void push_strange_status(lua_State *L, int index) {
  size_t length;
  const char *bytes;
  ApiReply reply;
  job_get(L, index, JOB_RAW);
  bytes = lua_tolstring(L, -1, &length);
  if (bytes && api_reply_read(&reply, bytes, length) &&
      reply.status == API_NONE &&
      pieces_push_status(L, &reply, job_api_key(L, index)))
    lua_pushfstring(L,
                    " (the last status the service told is \"%s\", which this "
                    "module does not know)",
                    lua_tostring(L, -1));
  else
    lua_pushliteral(L, "");
}

/* Pushes what the last exchange came to nothing by, or "". */
static void push_last_trouble(lua_State *L, const Event *event) {
  if (event->failure.detail)
    lua_pushfstring(L, " (the last try came to nothing: %s)",
                    event->failure.detail);
  else
    lua_pushliteral(L, "");
}

/* A poll of its own (client:poll), for which there was no place. */
static bool was_not_asked(const LuaJob *job, const Event *event) {
  return job->mode == JOB_MODE_POLL_ONCE && event->polls == 0;
}

/* Pushes what happened, and what to do; the job's id is at `id`. */
static void push_timeout_words(lua_State *L, int index, int id,
                               const LuaJob *job, const Event *event) {
  if (was_not_asked(job, event))
    lua_pushliteral(L, "the service was not asked: the poll had no connection "
                       "within its time (max_connections)");
  else if (job_has_id(L, index) && !job_is_made(L, index))
    lua_pushfstring(L,
                    "the service has said nothing of this job within the "
                    "timeout: client:wait(\"%s\") asks again",
                    lua_tostring(L, id));
  else if (job_has_id(L, index))
    lua_pushfstring(L,
                    "the job was not done within its timeout; it goes on at "
                    "the service: client:wait(\"%s\") takes it up again%s",
                    lua_tostring(L, id), lua_tostring(L, -1));
  else if (event->maybe_charged)
    lua_pushfstring(L,
                    "the timeout ran out; a create before may have made the "
                    "job and charged it%s",
                    not_again(job));
  else
    lua_pushliteral(L, "the timeout ran out before the job was sent: it had to "
                       "wait for its turn (max_active), for a connection "
                       "(max_connections) or for the network");
}

static void push_timeout(lua_State *L, int index, const LuaJob *job,
                         const Event *event) {
  bool known = job_has_id(L, index);
  const char *charged = charged_so_far(L, index, event);
  int top = lua_gettop(L);
  job_get(L, index, JOB_ID);
  push_strange_status(L, index);
  push_timeout_words(L, index, top + 1, job, event);
  push_last_trouble(L, event);
  lua_concat(L, 2);
  error_push(L, "timeout", "deadline_passed", lua_tostring(L, -1));
  set_common(L, index, job, event, charged);
  error_set_retryable(L, was_not_asked(job, event) ||
                             (!known && !event->maybe_charged));
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
}

static void push_reference(lua_State *L, int index, const LuaJob *job,
                           const Event *event) {
  char field[32];
  error_push(L, "validation", "reference_unreachable", detail(event));
  snprintf(field, sizeof field, "image_urls[%u]", event->index + 1);
  error_set(L, "field", field);
  set_common(L, index, job, event, charged_so_far(L, index, event));
  error_set_retryable(L, event->temporary);
}

static void push_cancelled(lua_State *L, int index, const LuaJob *job,
                           const Event *event) {
  error_push(L, "cancelled", "cancelled", detail(event));
  set_common(L, index, job, event, charged_so_far(L, index, event));
  error_set_retryable(L, false);
}

/* A create that may have been paid is not to be made again, whatever it ended
 * with: the same call might pay for a second one.  The error is on top. */
static void forbid_another(lua_State *L, int index, const LuaJob *job) {
  bool create =
      job->mode == JOB_MODE_GENERATE || job->mode == JOB_MODE_CREATE_ONLY;
  if (create && !job_has_id(L, index) && !error_says(L, "charged", "no"))
    error_set_retryable(L, false);
}

static void push_error(lua_State *L, int index, LuaJob *job,
                       const Event *event) {
  switch (event->end) {
  case JOB_END_REFUSED:
    push_refused(L, index, job, event);
    break;
  case JOB_END_FAILED:
    push_failed(L, index, job, event);
    break;
  case JOB_END_LOST:
    verdict_push_lost(L, index, job, event);
    break;
  case JOB_END_TIMEOUT:
    push_timeout(L, index, job, event);
    break;
  case JOB_END_REFERENCE:
    push_reference(L, index, job, event);
    break;
  case JOB_END_CANCELLED:
  case JOB_END_SUCCEEDED: /* answers: see reply.c */
  case JOB_END_FAILURE:
  case JOB_END_ACCEPTED:
  case JOB_END_UNUSABLE:
    push_cancelled(L, index, job, event);
    break;
  }
}

void verdict_push_error(lua_State *L, int index, LuaJob *job,
                        const Event *event) {
  index = compat_absindex(L, index);
  push_error(L, index, job, event);
  forbid_another(L, index, job);
}

/* What is to be said of the row.  The error is on top. */
static const char *words_of_row(lua_State *L, const Event *event) {
  if (event->contradicted)
    return "; but its row in the ledger says otherwise: somebody else has "
           "changed it, and may have sent the job";
  if (error_says(L, "kind", "closed"))
    return "; but the ledger could not be told: unless it can be before this "
           "program ends, no client:recover() may know the job";
  return "; but the ledger could not be told: unless it can be before this "
         "program ends, the next client:recover() may send the job";
}

void verdict_add_unrecorded(lua_State *L, const Event *event) {
  const char *words = words_of_row(L, event);
  lua_getfield(L, -1, "message");
  lua_pushstring(L, words);
  lua_concat(L, 2);
  lua_setfield(L, -2, "message");
  if (!event->sent) {
    lua_pushnil(L);
    lua_setfield(L, -2, "sent");
  }
  error_set(L, "charged", "unknown");
  error_set_retryable(L, false);
}

void verdict_push_protocol(lua_State *L, int index, LuaJob *job,
                           const Event *event, const char *code,
                           const char *what) {
  bool known;
  index = compat_absindex(L, index);
  known = job_is_made(L, index) || job->earlier_paid;
  error_push(L, "protocol", code, what);
  set_common(L, index, job, event, known ? "yes" : "unknown");
  error_set_retryable(L, false);
}
