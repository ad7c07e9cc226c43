/* What the ledger is told of a job that ends by no answer, and whether the host
 * may hear of it: see job_record.h. */
#include "job_record.h"

#include "engine/base/clock.h"

#include <math.h>

/* That this account could not have it says nothing of a job that is another's
 * still: that one may take it up. */
static bool is_anothers(const Job *job, FlowEnd how) {
  if (!job->former || how == FLOW_END_CANCELLED)
    return false;
  return job->flow.mode == FLOW_RESUME ||
         (job->flow.created <= 0 && !job->flow.doubt);
}

/* The state after an end that no answer explains; NULL = as it is. */
static const char *last_state(const Job *job, FlowEnd how) {
  bool made = job->flow.created > 0 || job->id; /* that it was given: too */
  if (how == FLOW_END_CANCELLED && job->work.detached && !job->given_up)
    return NULL;
  /* Of an id that may be mistyped, or its job? */
  if (how == FLOW_END_CANCELLED)
    return job->hearsay ? "unknown" : "cancelled";
  if (made && how == FLOW_END_REFUSED &&
      (job->work.last.status == 404 || job->work.last.status == 410))
    return "unknown"; /* the service does not know the id: settle it by hand */
  if (made)
    return NULL; /* it goes on at the service: recover takes it up */
  if (job->flow.doubt || how == FLOW_END_LOST)
    return job->given_up ? "cancelled" : "unknown"; /* nobody wants it now */
  return how == FLOW_END_REFUSED ? "refused" : "unsent";
}

/* Of these the answer itself has told. */
static bool is_answered(FlowEnd how) {
  return how == FLOW_END_SUCCEEDED || how == FLOW_END_FAILURE ||
         how == FLOW_END_ACCEPTED || how == FLOW_END_UNUSABLE;
}

/* Will the host be told that it cost nothing, or that nobody sends it again?
 * The row must say so, too, where there is one: that of a new job is made in
 * the transaction that ends it, or never. */
static bool must_fit(const Job *job, FlowEnd how) {
  bool has_row = job->again || !job->entry;
  bool ends = how == FLOW_END_CANCELLED && !job->stays;
  if (job->unwritten.list)
    return true;
  return has_row && how != FLOW_END_LOST && job->flow.created <= 0 &&
         !job->id && !job->refused && (!job->flow.doubt || ends);
}

/* Whether its row, as it can be read now, is what the host is told. */
bool record_is_told(Job *job) {
  Ledger *ledger = job->work.account->ledger;
  LedgerStand stand;
  if (!ledger || !ledger_look(ledger, job->key, &stand))
    return false;
  if (job->stays)
    return stand.found && stand.free;
  return !stand.found || (!stand.open && (stand.free || job->flow.doubt));
}

/* Seconds for which the end of a job that was not sent waits for a ledger that
 * is down, before it is told without. */
#define GRACE 2.0

double record_grace(const Job *job) {
  double at = clock_monotonic() + GRACE;
  return job->unwritten.list ? fmax(at, job->flow.deadline) : at;
}

bool record_end(Job *job, FlowEnd how) {
  const Event *last = &job->work.last;
  /* The host's flag: to be looked at behind its command alone. */
  bool obeyed = how == FLOW_END_CANCELLED || job->flow.cancelled;
  bool left = obeyed && job->work.detached;
  LedgerNews news = {
      .state = last_state(job, how),
      .error = left || (obeyed && job->hearsay) ? NULL : last->failure.code,
      .attempts = job->flow.attempts,
      .status = last->status};
  bool known = job->recorded || job->intended;
  bool anothers = is_anothers(job, how);
  if (!job->work.account->ledger)
    return false;
  job->stays = anothers || (how == FLOW_END_CANCELLED && !news.state);
  job_list_leave(&job->place);
  if (job->again || !job->stays) /* never sent: never recorded, then */
    job_list_leave(&job->unwritten);
  if (is_answered(how) || !job->key || !known)
    return false;
  if (!anothers)
    record_tell(job, &news);
  if (!must_fit(job, how))
    return false;
  job->work.last.unrecorded = ledger_is_broken(job->work.account->ledger);
  if (!job->work.last.unrecorded)
    job_list_join(&job->work.account->parting, &job->place);
  return !job->work.last.unrecorded;
}

/* Where the row says how it ended, that stays. */
void record_late_cancel(Job *job) {
  Ledger *ledger = job_ledger(job);
  LedgerStand stand;
  if (!ledger || !job->key || job->hearsay || job->work.detached)
    return;
  if (!ledger_look(ledger, job->key, &stand) || stand.open)
    record_tell(job, &(LedgerNews){.state = "cancelled"});
}
