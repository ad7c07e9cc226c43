/*
 * What a job's events show: from what the engine has decided to the job its
 * host sees.  Nothing is decided here.  The job is on top of the stack
 * throughout; `at` is its index.
 */
#include "reply.h"

#include "credits.h"
#include "engine/base/clock.h"
#include "error.h"
#include "late.h"
#include "lua/core.h"
#include "lua/objects/client.h"
#include "lua/objects/job.h"
#include "lua/values/pieces.h"
#include "verdict.h"

/* The engine is done with the job. */
static void detach_job(lua_State *L, Core *core, LuaJob *job) {
  job->op = NULL;
  core->pending--;
  handles_drop(L, &core->handles, job->handle);
}

/* Once the job has its id no more creates follow. */
static void set_counts(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  job->attempts = event->attempts;
  job->polls = event->polls;
  if (job_has_id(L, at))
    return;
  job->twice = event->earlier_maybe_charged;
  if (event->earlier_risk)
    job_keep(L, at);
}

static void set_raw(lua_State *L, int at, const Event *event) {
  if (!event->body)
    return;
  lua_pushlstring(L, event->body, event->body_length);
  job_set(L, at, JOB_RAW);
}

static void set_balance(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  Client *client = job_client(L, at);
  if (!event->has_balance)
    return;
  job->balance = client->balance = event->balance;
  job->has_balance = client->has_balance = true;
}

/* A job that goes on; true when its status is news. */
static bool set_status(LuaJob *job, const Event *event) {
  JobStatus now = event->running ? JOB_RUNNING : JOB_PENDING;
  bool news = job->status != now;
  job->status = now;
  return news;
}

/* ---- it goes on ---- */

static const char *on_created(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  set_raw(L, at, event);
  set_balance(L, at, event);
  if (job_is_done(job)) {
    late_note(L, at, event);
    return NULL;
  }
  job_accept(job, event->delay);
  set_status(job, event);
  return "created";
}

static const char *on_status(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  if (job_is_done(job) || !event->body)
    return NULL;
  set_raw(L, at, event);
  set_balance(L, at, event);
  if (event->says != SAYS_WAITING || !set_status(job, event))
    return NULL;
  return "status";
}

/* ---- the end by an answer ---- */

/* What may raise comes first: the answer is then read once more. */
static const char *succeed(lua_State *L, int at, const Event *event) {
  ApiReply reply;
  api_reply_read(&reply, event->body, event->body_length);
  if (!pieces_push_results(L, &reply, job_api_key(L, at)))
    lua_newtable(L);
  job_set(L, at, JOB_RESULTS);
  job_spend(L, at);
  lua_pushnil(L);
  job_finish(L, at, JOB_SUCCEEDED);
  return "succeeded";
}

static const char *words_of_earlier(const LuaJob *job) {
  if (!job->twice)
    return "";
  return job->earlier_paid ? "; an earlier create of it was charged"
                           : "; an earlier create of it may have been charged";
}

/* Only for "failed" the service has promised to give the credits back. */
static const char *fail(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  ApiReply reply;
  const char *code =
      event->failure.detail ? event->failure.detail : event->failure.code;
  bool promised = api_reply_read(&reply, event->body, event->body_length) &&
                  reply.word == WORD_DOCUMENTED;
  lua_pushfstring(L, "the service could not make the picture (%s); %s%s", code,
                  promised ? "the service refunds the credits of failed jobs"
                           : "whether it gives the credits back is not known: "
                             "see the account's history",
                  words_of_earlier(job));
  verdict_push_protocol(L, at, job, event, code, lua_tostring(L, -1));
  error_set(L, "kind", event->failure.kind);
  error_set(L, "charged", event->charged);
  if (promised)
    job_refund(L, at);
  job_finish(L, at, JOB_FAILED);
  lua_pop(L, 1);
  return "failed";
}

/* More than that was not asked for. */
static const char *keep(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  set_status(job, event);
  lua_pushnil(L);
  job_finish(L, at, job->status);
  if (event->created)
    return "created";
  return "status";
}

/* An answer that the documentation does not allow, or the beginning of one. */
static const char *give_up(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  if (event->partial)
    verdict_push_lost(L, at, job, event);
  else
    verdict_push_protocol(L, at, job, event, event->failure.code,
                          event->failure.detail);
  job_finish(L, at, JOB_UNKNOWN);
  return "failed";
}

/* ---- the end by no answer ---- */

static JobStatus status_after(const LuaJob *job, const Event *event) {
  bool polled =
      event->id || job->status == JOB_PENDING || job->status == JOB_RUNNING;
  if (event->unrecorded && event->end != JOB_END_CANCELLED)
    return JOB_UNKNOWN;
  switch (event->end) {
  case JOB_END_LOST:
  case JOB_END_SUCCEEDED: /* there was no memory for the pictures' addresses */
  case JOB_END_UNUSABLE:
    return JOB_UNKNOWN;
  case JOB_END_ACCEPTED:
    return event->running ? JOB_RUNNING : JOB_PENDING;
  case JOB_END_CANCELLED:
    return JOB_CANCELLED;
  case JOB_END_TIMEOUT:
    return event->sent || event->maybe_charged || polled ? JOB_UNKNOWN
                                                         : JOB_FAILED;
  case JOB_END_REFUSED:
    return polled ? JOB_UNKNOWN : JOB_FAILED;
  case JOB_END_FAILED:
  case JOB_END_REFERENCE: /* an earlier process may have sent it */
    return event->maybe_charged || polled ? JOB_UNKNOWN : JOB_FAILED;
  case JOB_END_FAILURE:
    break;
  }
  return JOB_FAILED;
}

static const char *end(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  verdict_push_error(L, at, job, event);
  if (event->unrecorded) /* another process may pay for it yet */
    verdict_add_unrecorded(L, event);
  if (error_says(L, "charged", "no") ||
      (job->reserved && !event->risked && !event->unrecorded))
    job_refund(L, at); /* what an earlier one cost stays */
  job_finish(L, at, status_after(job, event));
  return "failed";
}

/* ---- events ---- */

static const char *end_as_told(lua_State *L, int at, const Event *event) {
  switch (event->end) {
  case JOB_END_SUCCEEDED:
    return succeed(L, at, event);
  case JOB_END_FAILURE:
    return fail(L, at, event);
  case JOB_END_ACCEPTED:
    return keep(L, at, event);
  case JOB_END_UNUSABLE:
    return give_up(L, at, event);
  case JOB_END_REFUSED:
  case JOB_END_FAILED:
  case JOB_END_LOST:
  case JOB_END_TIMEOUT:
  case JOB_END_CANCELLED:
  case JOB_END_REFERENCE:
    break;
  }
  return end(L, at, event);
}

/* The engine is let go last: what raised before is done once more. */
static const char *on_ended(lua_State *L, Core *core, int at,
                            const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  const char *type = NULL;
  set_raw(L, at, event);
  set_balance(L, at, event);
  if (job_is_done(job)) /* told when it was cancelled */
    late_settle(L, at, event);
  else
    type = end_as_told(L, at, event);
  detach_job(L, core, job);
  return type;
}

void reply_abandon(lua_State *L, Core *core, LuaJob *job, const Event *event) {
  int at = lua_gettop(L);
  if (!job_is_done(job)) {
    error_push_no_memory(L);
    job_set(L, at, JOB_ERROR);
    job->status = status_after(job, event);
    job->ended = clock_monotonic();
  }
  detach_job(L, core, job);
}

/* The id that the engine has read: the job is at the service.  Any event may be
 * the first to tell it, where there was no memory for the one before. */
static void take_id(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  if (!event->id)
    return;
  job->vouched = job->vouched || !event->hearsay;
  if (job_has_id(L, at))
    return;
  lua_pushstring(L, event->id);
  job_set(L, at, JOB_ID);
  job_named(L, at);
  if (!job_is_done(job))
    job->status = JOB_PENDING;
}

const char *reply_handle(lua_State *L, Core *core, LuaJob *job, Event *event) {
  int at = lua_gettop(L);
  if (event->kind != EVENT_QUEUED)
    set_counts(L, at, event);
  take_id(L, at, event);
  switch (event->kind) {
  case EVENT_QUEUED: /* a cancel is told at once: it may be ahead */
    return job_is_done(job) ? NULL : "queued";
  case EVENT_CREATING:
    if (!job_is_done(job))
      job->status = JOB_CREATING;
    return NULL;
  case EVENT_RETRY:
    return job_is_done(job) ? NULL : "retry";
  case EVENT_CREATED:
    return on_created(L, at, event);
  case EVENT_STATUS:
    return on_status(L, at, event);
  case EVENT_ENDED:
    break;
  }
  return on_ended(L, core, at, event);
}
