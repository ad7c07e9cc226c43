/* What still comes for a cancelled job: see late.h. */
#include "late.h"

#include "credits.h"
#include "error.h"
#include "lua/core.h"
#include "lua/objects/job.h"
#include "verdict.h"

/* What the answer says of the money. */
static void set_charged(lua_State *L, int at, const Event *event) {
  error_set(L, "charged", event->charged);
  if (strcmp(event->charged, "refund_expected") == 0)
    job_refund(L, at);
  else if (event->says == SAYS_SUCCEEDED)
    job_spend(L, at);
}

/* What was not known is "yes".  The error is on top. */
static void settle_charged(lua_State *L) {
  if (error_says(L, "charged", "unknown"))
    error_set(L, "charged", "yes");
}

/* The service has the job.  The error is on top. */
static void settle_made(lua_State *L, int at, const Event *event) {
  job_get(L, at, JOB_ID);
  lua_setfield(L, -2, "job_id");
  if (event->sent)
    error_set(L, "sent", "yes");
  if (event->charged)
    set_charged(L, at, event);
  else if (job_is_made(L, at))
    settle_charged(L);
}

/* Nothing was charged: the words of the cancel left that open.  What a closed
 * client did not send is recover's to send, as they say.  The error is on top.
 */
static void set_message(lua_State *L, const Event *event) {
  bool closed = error_says(L, "kind", "closed");
  bool over = event->end != JOB_END_CANCELLED;
  if (closed && !over)
    return;
  lua_pushfstring(L, "%s; %s: nothing was charged",
                  closed ? "the client was closed before the job was done"
                         : "the job was cancelled",
                  event->sent ? "the service refused it" : "it was not sent");
  lua_setfield(L, -2, "message");
}

/* No job came of it.  The error is on top. */
static void settle_unmade(lua_State *L, int at, const Event *event) {
  const LuaJob *job = lua_touserdata(L, at);
  if (event->unrecorded) { /* another process may pay for it yet */
    verdict_add_unrecorded(L, event);
    return;
  }
  error_set(L, "sent", event->sent ? "yes" : "no");
  if (!event->maybe_charged) {
    error_set(L, "charged", "no");
    set_message(L, event);
  }
  if (!event->maybe_charged || (job->reserved && !event->risked))
    job_refund(L, at); /* what an earlier one cost stays reserved */
}

void late_note(lua_State *L, int at, const Event *event) {
  job_get(L, at, JOB_ERROR);
  settle_made(L, at, event);
  lua_pop(L, 1);
}

void late_settle(lua_State *L, int at, const Event *event) {
  job_get(L, at, JOB_ERROR);
  error_set_number(L, "attempts", event->attempts);
  if (job_has_id(L, at))
    settle_made(L, at, event);
  else
    settle_unmade(L, at, event);
  lua_pop(L, 1);
}
