/* Intents, and the writing of what a ledger was told: see job_record.h. */
#include "job_record.h"

#include "engine/base/clock.h"

#include <math.h>
#include <string.h>

/* Seconds until a ledger that is down is looked at. */
#define RETRY_FIRST 0.05
#define RETRY_MAX 1.0
/* The same where somebody else was writing: that is soon over, or lasts. */
#define BUSY_FIRST 0.01
#define BUSY_MAX 0.1
#define INTENTS_MAX 1000 /* that one transaction takes after that */

/* False when the ledger is down, or says no: then the op's failure tells. */
static bool intend(Job *job) {
  char id[RECORD_ATTEMPT_MAX], next[RECORD_ATTEMPT_MAX];
  Failure failure = {0};
  job->entry->attempt_id = record_attempt_id(job, 0, id);
  job->entry->next_id = record_attempt_id(job, 1, next);
  job->intended =
      ledger_intend(job_ledger(job), job->entry, job->again, &failure);
  if (job->intended || ledger_is_down(job_ledger(job))) {
    failure_clear(&failure);
    return job->intended;
  }
  /* Somebody else may have sent it. */
  job->refused = failure.code && strcmp(failure.code, "not_ours_to_send") == 0;
  failure_clear(&job->op.last.failure);
  job->op.last.failure = failure;
  return false;
}

bool record_intent(Job *job) {
  LedgerEntry *entry = job->entry;
  Account *account = job->op.account;
  if (!entry)
    return true;
  entry->key = job->idempotency_key;
  entry->base_url = account->service.settings.base_url;
  entry->body = job->body;
  entry->body_length = job->body_length;
  entry->maybe_charged = job->state.maybe_charged;
  job->claim = engine_random_bits(job->op.engine);
  job->marked = job->state.maybe_charged; /* the row says sent from now on */
  op_touch_ledger(&job->op);
  if (!ledger_is_down(account->ledger) && !intend(job) &&
      !ledger_is_down(account->ledger))
    return false;
  if (ledger_is_broken(account->ledger)) {
    ledger_why(account->ledger, &job->op.last.failure);
    return false;
  }
  queue_append(&account->unrecorded, &job->unwritten);
  return true;
}

/* It is in the ledger: durable. */
static void confirm(Job *job) {
  queue_remove(&job->unwritten);
  job->intended = false;
  job->recorded = true;
  ledger_entry_free(job->entry);
  job->entry = NULL;
}

void record_confirm_all(Account *account) {
  QueueLink *link = account->unrecorded.first;
  while (link) {
    QueueLink *next = link->next;
    if (job_of_unwritten(link)->intended)
      confirm(job_of_unwritten(link));
    link = next;
  }
}

/* ---- writing ---- */

static bool is_up(Account *account, double now, bool last) {
  if (!ledger_is_down(account->ledger))
    return true;
  if (now < account->retry_at && !last)
    return false;
  for (QueueLink *link = account->unrecorded.first; link; link = link->next)
    job_of_unwritten(link)->intended = false; /* lost with its transaction */
  return ledger_restart(account->ledger, last);
}

/* Those that could not be intended when they were submitted.  False when there
 * are more of them: not for the last time. */
static bool intend_all(Account *account, bool last) {
  QueueLink *link = account->unrecorded.first;
  unsigned count = 0;
  for (; link && !ledger_is_down(account->ledger); link = link->next) {
    Job *job = job_of_unwritten(link);
    if (job->intended)
      continue;
    if (count++ == INTENTS_MAX && !last)
      return false;
    intend(job);
  }
  return true;
}

/* What is left and was not intended has been refused: unless there are more. */
static void refuse_rest(Account *account) {
  QueueLink *link;
  while ((link = account->unrecorded.first))
    if (job_of_unwritten(link)->parting)
      job_part(job_of_unwritten(link), false);
    else
      job_refuse(job_of_unwritten(link));
}

/* Those that are held again come after those that were. */
static void let_go_on(Account *account) {
  QueueLink *last = account->held.last;
  QueueLink *link;
  bool more = last != NULL;
  while (more && (link = account->held.first)) {
    more = link != last;
    queue_remove(link);
    job_go_on(job_of_place(link));
  }
}

/* All that was told is in the ledger: but its row may be another's by now, and
 * say what that one told.  Those whose intent is not in it wait. */
static void part_all(Account *account) {
  QueueLink *next;
  for (QueueLink *link = account->parting.first; link; link = next) {
    Job *job = job_of_place(link);
    bool right = !job->unwritten.queue && record_is_told(job);
    next = link->next;
    if (job->unwritten.queue)
      continue;
    job->op.last.contradicted = !right;
    job_part(job, right);
  }
}

/* What they came to will never be in the ledger. */
static void part_unrecorded(Account *account) {
  QueueLink *link;
  while ((link = account->parting.first))
    job_part(job_of_place(link), false);
}

/* It stays down: every job that waits to be sent hears why. */
static void give_up(Account *account) {
  QueueLink *link;
  part_unrecorded(account);
  while ((link = account->unrecorded.first)) {
    ledger_why(account->ledger, &job_of_unwritten(link)->op.last.failure);
    job_refuse(job_of_unwritten(link));
  }
  let_go_on(account);
}

/* The look at it found it down. */
static void retry_later(Account *account) {
  bool busy = ledger_is_busy(account->ledger);
  double pause =
      fmax(account->retry_pause * 2, busy ? BUSY_FIRST : RETRY_FIRST);
  pause = fmin(pause, busy ? BUSY_MAX : RETRY_MAX);
  account->retry_pause = pause;
  account->retry_at = clock_monotonic() + pause;
}

bool record_flush(Account *account, double now, bool last) {
  Failure failure = {0};
  bool all = false;
  bool written = is_up(account, now, last);
  if (written) {
    all = intend_all(account, last);
    written = ledger_flush(account->ledger, &failure);
    failure_clear(&failure);
  }
  if (!written && now >= account->retry_at)
    retry_later(account);
  if (written) {
    account->retry_pause = 0;
    account->retry_at = 0;
    record_confirm_all(account);
    if (last)
      return true;
    part_all(account);
    if (all)
      refuse_rest(account);
    let_go_on(account);
  } else if (ledger_is_broken(account->ledger) && !last) {
    give_up(account);
  }
  return written && all;
}
