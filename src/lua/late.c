/* What still comes for a cancelled job: see late.h. */
#include "late.h"

#include "news.h"
#include "pieces.h"

void late_note_sent(lua_State *L, int at) {
  job_get(L, at, JOB_ERROR);
  error_set(L, "sent", "yes");
  lua_pop(L, 1);
}

static bool take_id(lua_State *L, int at, const JsonPiece *id) {
  if (!pieces_push_id(L, id))
    return false;
  job_set(L, at, JOB_ID);
  job_named(L, at);
  return true;
}

/* The job has its id. */
static void set_known(lua_State *L, int at, const char *charged) {
  job_get(L, at, JOB_ERROR);
  job_get(L, at, JOB_ID);
  lua_setfield(L, -2, "job_id");
  error_set(L, "charged", charged);
  lua_pop(L, 1);
}

void late_read(lua_State *L, int at, bool created, const Decoded *reply) {
  bool ended = reply->status == DECODED_FAILED; /* but with a promise? */
  bool failed = ended && reply->word == WORD_DOCUMENTED;
  bool named = created && take_id(L, at, &reply->id);
  const LuaJob *job = lua_touserdata(L, at);
  if (!named && (created || !job_is_named(L, at, &reply->id)))
    return;
  if (ended && job->twice)
    set_known(L, at, job->earlier_paid ? "yes" : "unknown");
  else
    set_known(L, at, failed ? "refund_expected" : ended ? "unknown" : "yes");
  if (failed)
    job_refund(L, at);
  else if (reply->status == DECODED_SUCCEEDED)
    job_spend(L, at);
}

void late_read_beginning(lua_State *L, int at, const Event *event) {
  JsonPiece id = decode_job_id(event->body, event->body_length);
  if (take_id(L, at, &id))
    set_known(L, at, "yes");
}

/* The answer to a create that was cancelled meanwhile came with its end.  To a
 * job that has its id no create is answered: that was a poll, which failed. */
static void read_last(lua_State *L, int at, const Event *event) {
  Decoded reply;
  if (job_has_id(L, at) || event->status / 100 != 2)
    return;
  if (decode_reply(&reply, event->body, event->body_length)) {
    news_take_balance(L, at, &reply);
    late_read(L, at, true, &reply);
  } else {
    late_read_beginning(L, at, event);
  }
  lua_settop(L, at);
}

/* The error on top: what was not known is "yes". */
static void settle_charged(lua_State *L) {
  bool known;
  lua_getfield(L, -1, "charged");
  known = strcmp(luaL_optstring(L, -1, ""), "unknown") != 0;
  lua_pop(L, 1);
  if (!known)
    error_set(L, "charged", "yes");
}

/* No job came of it.  The error is on top. */
static void settle_unmade(lua_State *L, int at, const Event *event) {
  const LuaJob *job = lua_touserdata(L, at);
  if (event->unrecorded) { /* another process may pay for it yet */
    verdict_add_unrecorded(L, event);
    return;
  }
  error_set(L, "sent", event->sent ? "yes" : "no");
  if (!event->doubt)
    error_set(L, "charged", "no");
  if (!event->doubt || (job->reserved && !event->risked))
    job_refund(L, at); /* what an earlier one cost stays reserved */
}

void late_settle(lua_State *L, int at, const Event *event) {
  bool known;
  read_last(L, at, event);
  known = job_has_id(L, at);
  job_get(L, at, JOB_ERROR);
  if (!known) {
    settle_unmade(L, at, event);
  } else {
    job_get(L, at, JOB_ID);
    lua_setfield(L, -2, "job_id");
    if (event->sent)
      error_set(L, "sent", "yes");
    if (job_is_made(L, at))
      settle_charged(L);
  }
  lua_pop(L, 1);
}
