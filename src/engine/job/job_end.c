/* What the ledger is told of a job that ends by no answer, and whether the host
 * may hear of it: see job_record.h. */
#include "job_record.h"

#include "engine/base/clock.h"

#include <math.h>

/* That this account could not have it says nothing of a job that is another's
 * still: that one may take it up. */
static bool is_anothers(const Job *job, JobEnd how) {
  if (!job->former || how == JOB_END_CANCELLED)
    return false;
  return job->state.mode == JOB_MODE_RESUME ||
         (job->state.created <= 0 && !job->state.maybe_charged);
}

/* The state after an end that no answer explains; NULL = as it is. */
static const char *last_state(const Job *job, JobEnd how) {
  bool made = job->state.created > 0 || job->id; /* that it was given: too */
  if (how == JOB_END_CANCELLED && job->op.detached && !job->given_up)
    return NULL;
  /* Of an id that may be mistyped, or its job? */
  if (how == JOB_END_CANCELLED)
    return job->hearsay ? "unknown" : "cancelled";
  if (made && how == JOB_END_REFUSED &&
      (job->op.last.status == 404 || job->op.last.status == 410))
    return "unknown"; /* the service does not know the id: settle it by hand */
  if (made)
    return NULL; /* it goes on at the service: recover takes it up */
  if (job->state.maybe_charged || how == JOB_END_LOST)
    return job->given_up ? "cancelled" : "unknown"; /* nobody wants it now */
  return how == JOB_END_REFUSED ? "refused" : "unsent";
}

/* Of these the answer itself has told. */
static bool is_answered(JobEnd how) {
  return how == JOB_END_SUCCEEDED || how == JOB_END_FAILURE ||
         how == JOB_END_ACCEPTED || how == JOB_END_UNUSABLE;
}

/* Will the host be told that it cost nothing, or that nobody sends it again?
 * The row must say so, too, where there is one: that of a new job is made in
 * the transaction that ends it, or never. */
static bool must_fit(const Job *job, JobEnd how) {
  bool has_row = job->again || !job->entry;
  bool ends = how == JOB_END_CANCELLED && !job->stays;
  if (job->unwritten.queue)
    return true;
  return has_row && how != JOB_END_LOST && job->state.created <= 0 &&
         !job->id && !job->refused && (!job->state.maybe_charged || ends);
}

/* Whether its row, as it can be read now, is what the host is told. */
bool record_is_told(Job *job) {
  Ledger *ledger = job->op.account->ledger;
  LedgerStand stand;
  if (!ledger || !ledger_look(ledger, job->idempotency_key, &stand))
    return false;
  if (job->stays)
    return stand.found && stand.free;
  return !stand.found ||
         (!stand.open && (stand.free || job->state.maybe_charged));
}

/* Seconds for which the end of a job that was not sent waits for a ledger that
 * is down, before it is told without. */
#define GRACE 2.0

double record_grace(const Job *job) {
  double at = clock_monotonic() + GRACE;
  return job->unwritten.queue ? fmax(at, job->state.deadline) : at;
}

bool record_end(Job *job, JobEnd how) {
  const Event *last = &job->op.last;
  /* The host's flag: to be looked at behind its command alone. */
  bool obeyed = how == JOB_END_CANCELLED || job->state.cancelled;
  bool left = obeyed && job->op.detached;
  LedgerNews news = {
      .state = last_state(job, how),
      .error = left || (obeyed && job->hearsay) ? NULL : last->failure.code,
      .attempts = job->state.attempts,
      .status = last->status,
      .parts = job->state.mode != JOB_MODE_POLL_ONCE};
  LedgerNews left_to_all = {.parts = news.parts};
  bool known = job->recorded || job->intended;
  bool anothers = is_anothers(job, how);
  if (!job->op.account->ledger)
    return false;
  job->stays = anothers || (how == JOB_END_CANCELLED && !news.state);
  queue_remove(&job->place);
  if (job->again || !job->stays) /* never sent: never recorded, then */
    queue_remove(&job->unwritten);
  if (is_answered(how) || !job->idempotency_key || !known)
    return false;
  record_tell(job, anothers ? &left_to_all : &news);
  if (!must_fit(job, how))
    return false;
  job->op.last.unrecorded = ledger_is_broken(job->op.account->ledger);
  if (!job->op.last.unrecorded)
    queue_append(&job->op.account->parting, &job->place);
  return !job->op.last.unrecorded;
}

/* Where the row says how it ended, that stays. */
void record_late_cancel(Job *job) {
  Ledger *ledger = job_ledger(job);
  LedgerStand stand;
  if (!ledger || !job->idempotency_key || job->hearsay || job->op.detached)
    return;
  if (!ledger_look(ledger, job->idempotency_key, &stand) || stand.open)
    record_tell(job, &(LedgerNews){.state = "cancelled"});
}
