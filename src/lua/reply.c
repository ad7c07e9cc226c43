/*
 * What a job's events mean: from the engine's bytes and codes to the job its
 * host sees.  The job is on top of the stack throughout; `at` is its index.
 */
#include "core.h"

#include "../engine/clock.h"
#include "late.h"
#include "news.h"
#include "pieces.h"

/* A final answer that cannot be used ends the job when it comes this often in
 * a row. */
#define ODDITIES_MAX 3

/* The engine is done with the job. */
static void let_go(lua_State *L, Core *core, LuaJob *job) {
  job->work = NULL;
  core->pending--;
  anchor_drop(L, &core->anchors, job->ticket);
}

/* Once the job has its id no more creates follow. */
static void set_counts(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  job->attempts = event->attempts;
  job->polls = event->polls;
  if (job_has_id(L, at))
    return;
  job->twice = event->earlier_doubt;
  if (event->earlier_risk)
    job_keep(L, at);
}

static void set_raw(lua_State *L, int at, const Event *event) {
  if (!event->body)
    return;
  lua_pushlstring(L, event->body, event->body_length);
  job_set(L, at, JOB_RAW);
}

/* What the ledger should know of the job, whose error is at `error`: NULL = as
 * it was.  Job and error keep the texts alive. */
static JobNote note(lua_State *L, int at, int error, const char *state,
                    const char *charged) {
  JobNote noted = {.state = state, .charged = charged};
  job_get(L, at, JOB_ID);
  noted.job_id = (char *)lua_tostring(L, -1);
  lua_pop(L, 1);
  if (lua_istable(L, error)) {
    lua_pushliteral(L, "code");
    lua_rawget(L, error);
    noted.error = (char *)lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  return noted;
}

/* The same with the error that the job has. */
static JobNote note_as_is(lua_State *L, int at, const char *state,
                          const char *charged) {
  JobNote noted;
  job_get(L, at, JOB_ERROR);
  noted = note(L, at, lua_gettop(L), state, charged);
  lua_pop(L, 1);
  return noted;
}

/* Tells the engine, and lets go when that was the end of it. */
static void judge(lua_State *L, Core *core, int at, FlowVerdict verdict,
                  const char *id, JobNote noted) {
  LuaJob *job = lua_touserdata(L, at);
  core->asked = false;
  if (engine_judge(core->engine, job->work, verdict, id, &noted))
    let_go(L, core, job);
}

static void go_on(lua_State *L, Core *core, int at, FlowVerdict verdict) {
  judge(L, core, at, verdict, NULL, (JobNote){0});
}

/* The error is on top.  What may raise comes first: once the job is done, its
 * answer is not read a second time. */
static void finish(lua_State *L, Core *core, int at, JobStatus status,
                   const char *state, const char *charged) {
  JobNote noted = note(L, at, lua_gettop(L), state, charged);
  job_finish(L, at, status);
  judge(L, core, at, FLOW_VERDICT_FINAL, NULL, noted);
}

static const char *succeed(lua_State *L, Core *core, int at) {
  job_set(L, at, JOB_RESULTS);
  job_spend(L, at);
  lua_pushnil(L);
  finish(L, core, at, JOB_SUCCEEDED, "succeeded", "yes");
  return "succeeded";
}

/* The service's code; where it sent none, its word for the end. */
static void push_failure_code(lua_State *L, int at, const Decoded *reply) {
  const char *secret = job_secret(L, at);
  if (pieces_push_error(L, reply, secret) ||
      (reply->word != WORD_DOCUMENTED && pieces_push_status(L, reply, secret)))
    return;
  lua_pushliteral(L, "generation_failed");
}

/* The service says failed, or what it has not documented but can mean nothing
 * else: only for "failed" it has promised to give the credits back. */
static const char *fail(lua_State *L, Core *core, int at, const Event *event,
                        const Decoded *reply) {
  LuaJob *job = lua_touserdata(L, at);
  bool promised = reply->word == WORD_DOCUMENTED;
  const char *charged = promised ? "refund_expected" : "unknown";
  const char *code, *more = "";
  if (job->twice) {
    charged = job->earlier_paid ? "yes" : "unknown";
    more = job->earlier_paid
               ? "; an earlier create of it was charged"
               : "; an earlier create of it may have been charged";
  }
  push_failure_code(L, at, reply);
  code = lua_tostring(L, -1);
  lua_pushfstring(L, "the service could not make the picture (%s); %s%s", code,
                  promised ? "the service refunds the credits of failed jobs"
                           : "whether it gives the credits back is not known: "
                             "see the account's history",
                  more);
  verdict_push_protocol(L, at, job, event, code, lua_tostring(L, -1));
  error_set(L, "kind", "job_failed");
  error_set(L, "charged", charged);
  if (promised)
    job_refund(L, at);
  finish(L, core, at, JOB_FAILED, "failed", charged);
  lua_pop(L, 2);
  return "failed";
}

/* A bare "error" may mean this answer alone: a paid job is not given up for it
 * before it was said three times in a row. */
static bool is_passing_trouble(LuaJob *job, const Decoded *reply) {
  return reply->word == WORD_TROUBLE && !reply->id.at &&
         job->mode != FLOW_POLL_ONCE && ++job->oddities < ODDITIES_MAX;
}

/* An answer that the documentation does not allow, and nothing more to ask. */
static const char *give_up(lua_State *L, Core *core, int at, const Event *event,
                           const char *code, const char *what) {
  const char *state = "unknown";
  if (job_has_id(L, at)) /* the ledger keeps it as it is */
    state = NULL;
  if (event->failure.kind) /* the answer is only the beginning of one */
    verdict_push_lost(L, at, lua_touserdata(L, at), event);
  else
    verdict_push_protocol(L, at, lua_touserdata(L, at), event, code, what);
  finish(L, core, at, JOB_UNKNOWN, state, state); /* charged: likewise */
  return "failed";
}

/* Success or failure.  NULL when the reply is not usable. */
static const char *read_final(lua_State *L, Core *core, int at,
                              const Event *event, const Decoded *reply) {
  if (reply->status == DECODED_FAILED)
    return fail(L, core, at, event, reply);
  if (reply->status == DECODED_SUCCEEDED &&
      pieces_push_results(L, reply, job_secret(L, at)))
    return succeed(L, core, at);
  return NULL;
}

/* ---- the answer to a create ---- */

/* The job has its id: it will be polled. */
static void go_on_as_created(lua_State *L, Core *core, int at) {
  JobNote noted = note_as_is(L, at, "accepted", "yes");
  judge(L, core, at, FLOW_VERDICT_AGAIN, noted.job_id, noted);
}

/* What came is the beginning of an answer, and holds the id. */
static const char *read_beginning(lua_State *L, Core *core, int at,
                                  const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  JsonPiece id = decode_job_id(event->body, event->body_length);
  if (!pieces_push_id(L, &id))
    return NULL;
  job_set(L, at, JOB_ID);
  job_named(L, at);
  news_take_status(job, DECODED_PENDING);
  if (job->mode == FLOW_CREATE_ONLY) {
    lua_pushnil(L);
    finish(L, core, at, job->status, "accepted", "yes");
  } else {
    go_on_as_created(L, core, at);
  }
  return "created";
}

static const char *read_created(lua_State *L, Core *core, int at,
                                const Event *event, const Decoded *reply) {
  LuaJob *job = lua_touserdata(L, at);
  const char *type;
  if (!pieces_push_id(L, &reply->id))
    return give_up(
        L, core, at, event, "job_id_missing",
        "the service accepted the job but its answer holds no usable "
        "job id: it may have been paid, and was not sent again");
  job_set(L, at, JOB_ID);
  job_named(L, at);
  type = read_final(L, core, at, event, reply);
  if (type)
    return type;
  news_take_status(job, reply->status);
  if (job->mode == FLOW_CREATE_ONLY) {
    lua_pushnil(L);
    finish(L, core, at, job->status, "accepted", "yes");
    return "created";
  }
  go_on_as_created(L, core, at);
  return "created";
}

/* ---- the answer to a poll ---- */

/* It said nothing about the job, or what nobody knows (FLOW_VERDICT_AGAIN). */
static const char *poll_again(lua_State *L, Core *core, int at,
                              const Event *event, FlowVerdict verdict) {
  LuaJob *job = lua_touserdata(L, at);
  if (job->mode == FLOW_POLL_ONCE)
    return give_up(L, core, at, event, "unreadable_reply",
                   "the service's answer to the poll is not usable");
  go_on(L, core, at, verdict);
  return NULL;
}

/* The service has told of the id: it is no hearsay any more. */
static void vouch(LuaJob *job, const Decoded *reply) {
  if (reply->status != DECODED_NONE || reply->said.length > 0)
    job->vouched = true;
}

static const char *read_polled(lua_State *L, Core *core, int at,
                               const Event *event, const Decoded *reply) {
  LuaJob *job = lua_touserdata(L, at);
  DecodedStatus status = reply->status;
  const char *type;
  if (!job_is_named(L, at, &reply->id) || is_passing_trouble(job, reply))
    return poll_again(L, core, at, event, FLOW_VERDICT_UNUSABLE);
  vouch(job, reply);
  type = read_final(L, core, at, event, reply);
  if (type)
    return type;
  if (status == DECODED_SUCCEEDED && ++job->oddities >= ODDITIES_MAX)
    return give_up(L, core, at, event, "results_missing",
                   "the service says the job succeeded but gives no images");
  if (status == DECODED_NONE && reply->said.length > 0)
    return poll_again(L, core, at, event, FLOW_VERDICT_AGAIN);
  if (status == DECODED_NONE || status == DECODED_SUCCEEDED)
    return poll_again(L, core, at, event, FLOW_VERDICT_UNUSABLE);
  job->oddities = 0;
  type = news_take_status(job, status) ? "status" : NULL;
  if (job->mode == FLOW_POLL_ONCE) {
    lua_pushnil(L);
    finish(L, core, at, job->status, NULL, NULL);
    return "status";
  }
  go_on(L, core, at, FLOW_VERDICT_AGAIN);
  return type;
}

/* ---- what came ---- */

/* A body that must be judged, and is no JSON object. */
static const char *on_unreadable(lua_State *L, Core *core, int at,
                                 const Event *event) {
  const char *type;
  if (job_is_done(lua_touserdata(L, at))) {
    if (event->created)
      late_read_beginning(L, at, event);
    judge(L, core, at, FLOW_VERDICT_FINAL, NULL, note_as_is(L, at, NULL, NULL));
    return NULL;
  }
  if (event->created && (type = read_beginning(L, core, at, event)))
    return type;
  if (event->created)
    return give_up(L, core, at, event, "unreadable_reply",
                   "the service's answer to the create is not readable: the "
                   "job may have been paid, and was not sent again");
  return poll_again(L, core, at, event, FLOW_VERDICT_UNUSABLE);
}

/* A body that must be judged, and was read. */
static const char *on_object(lua_State *L, Core *core, int at,
                             const Event *event, const Decoded *reply) {
  news_take_balance(L, at, reply);
  if (job_is_done(lua_touserdata(L, at))) {
    late_read(L, at, event->created, reply);
    judge(L, core, at, FLOW_VERDICT_FINAL, NULL, note_as_is(L, at, NULL, NULL));
    return NULL;
  }
  if (event->created)
    return read_created(L, core, at, event, reply);
  return read_polled(L, core, at, event, reply);
}

static const char *on_reply(lua_State *L, Core *core, int at,
                            const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  Decoded reply;
  bool readable = decode_reply(&reply, event->body, event->body_length);
  const char *type;
  if (job->unread && !(readable && news_overtaken(&reply)))
    news_read(L, at);
  set_raw(L, at, event);
  if (job_is_done(job) && event->sent)
    late_note_sent(L, at);
  type = readable ? on_object(L, core, at, event, &reply)
                  : on_unreadable(L, core, at, event);
  lua_settop(L, at);
  return type;
}

/* The engine has the job's id and polls.  What else the answer says is read
 * when somebody asks; at once for a cancelled job and for an on_event. */
static const char *on_created(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  Decoded reply;
  set_raw(L, at, event);
  if (!job_is_done(job)) {
    news_keep(L, at);
    if (job_client(L, at)->narrates)
      news_read(L, at);
    return "created";
  }
  if (decode_reply(&reply, event->body, event->body_length)) {
    news_take_balance(L, at, &reply);
    late_read(L, at, true, &reply);
  }
  late_note_sent(L, at);
  return NULL;
}

/* A 202 that says something new.  Without an on_event nobody is told, and it is
 * read when somebody asks. */
static const char *on_status(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  bool narrates = job_client(L, at)->narrates;
  Decoded reply;
  if (job_is_done(job) || !event->body)
    return NULL;
  if (!narrates && !news_covers(event->body, event->body_length))
    news_read(L, at); /* the one before: it may hold what this one does not */
  if (!job->vouched && decode_reply(&reply, event->body, event->body_length) &&
      job_is_named(L, at, &reply.id))
    vouch(job, &reply);
  set_raw(L, at, event);
  news_keep(L, at);
  return narrates && news_read(L, at) ? "status" : NULL;
}

/* ---- the end ---- */

static JobStatus status_after(const LuaJob *job, const Event *event) {
  bool polled =
      event->id || job->status == JOB_PENDING || job->status == JOB_RUNNING;
  if (event->unrecorded && event->end != FLOW_END_CANCELLED)
    return JOB_UNKNOWN;
  switch (event->end) {
  case FLOW_END_LOST:
    return JOB_UNKNOWN;
  case FLOW_END_CANCELLED:
    return JOB_CANCELLED;
  case FLOW_END_TIMEOUT:
    return event->sent || event->doubt || polled ? JOB_UNKNOWN : JOB_FAILED;
  case FLOW_END_REFUSED:
    return polled ? JOB_UNKNOWN : JOB_FAILED;
  case FLOW_END_FAILED:
  case FLOW_END_REFERENCE: /* an earlier process may have sent it */
    return event->doubt || polled ? JOB_UNKNOWN : JOB_FAILED;
  case FLOW_END_ANSWERED:
    break;
  }
  return JOB_FAILED;
}

/* The engine is let go last: what raised before is done once more. */
static const char *on_ended(lua_State *L, Core *core, int at,
                            const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  news_read(L, at);
  set_raw(L, at, event);
  if (job_is_done(job)) {
    late_settle(L, at, event);
    let_go(L, core, job);
    return NULL; /* told when it was cancelled */
  }
  verdict_push_error(L, at, job, event);
  if (event->unrecorded) /* another process may pay for it yet */
    verdict_add_unrecorded(L, event);
  lua_getfield(L, -1, "charged");
  if (strcmp(luaL_optstring(L, -1, ""), "no") == 0 ||
      (job->reserved && !event->risked && !event->unrecorded))
    job_refund(L, at); /* what an earlier one cost stays */
  lua_pop(L, 1);
  job_finish(L, at, status_after(job, event));
  let_go(L, core, job);
  return "failed";
}

void reply_abandon(lua_State *L, Core *core, LuaJob *job, const Event *event) {
  int at = lua_gettop(L);
  if (!job_is_done(job)) {
    error_push_no_memory(L);
    job_set(L, at, JOB_ERROR);
    job->status = status_after(job, event);
    job->ended = clock_monotonic();
  }
  let_go(L, core, job);
}

/* The id that the engine has read: the job is at the service.  Any event may be
 * the first to tell it, where there was no memory for the one before. */
static void take_id(lua_State *L, int at, const Event *event) {
  LuaJob *job = lua_touserdata(L, at);
  if (!event->id || job_has_id(L, at))
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
  case EVENT_REPLY:
    return on_reply(L, core, at, event);
  case EVENT_ENDED:
    break;
  }
  return on_ended(L, core, at, event);
}
