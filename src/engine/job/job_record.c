/* What a job writes into the ledger, and when: see job_record.h. */
#include "job_record.h"

#include "engine/base/clock.h"
#include "engine/base/url.h"
#include "engine/rules/decode.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static Ledger *ledger_of(const Job *job) {
  return job->work.account->ledger;
}

/* ---- whose row it is ---- */

#define ATTEMPT_MAX 32 /* bytes of an attempt id */

/* The id of the n-th send of this job by this program. */
static const char *attempt_id(const Job *job, unsigned n, char *text) {
  snprintf(text, ATTEMPT_MAX, "%016" PRIx64 "-%u", job->claim, n);
  return text;
}

/* What only who sends it can say; all else is a fact that the service told. */
static bool is_own_word(const char *state) {
  return state && strcmp(state, "accepted") != 0 &&
         strcmp(state, "succeeded") != 0 && strcmp(state, "failed") != 0;
}

void record_tell(Job *job, const LedgerNews *news) {
  LedgerNews told = *news;
  char id[ATTEMPT_MAX], next[ATTEMPT_MAX];
  told.base_url = job->work.account->service.settings.base_url;
  if (job->claim && is_own_word(news->state)) {
    told.attempt_id = attempt_id(job, job->sends, id);
    told.next_id = attempt_id(job, job->sends + 1, next); /* never confirmed */
    if (job->entry && job->again) { /* not known to be taken over */
      told.seen_id = job->entry->seen_id;
      told.seen_in_doubt = job->entry->doubt;
    }
  }
  ledger_tell(ledger_of(job), job->key, &told);
  work_touch_ledger(&job->work);
}

/* ---- intents ---- */

/* False when the ledger is down, or says no: then the work's failure tells. */
static bool intend(Job *job) {
  char id[ATTEMPT_MAX], next[ATTEMPT_MAX];
  Failure failure = {0};
  job->entry->attempt_id = attempt_id(job, 0, id);
  job->entry->next_id = attempt_id(job, 1, next);
  job->intended =
      ledger_intend(ledger_of(job), job->entry, job->again, &failure);
  if (job->intended || ledger_is_down(ledger_of(job))) {
    failure_clear(&failure);
    return job->intended;
  }
  /* Somebody else may have sent it. */
  job->refused = failure.code && strcmp(failure.code, "not_ours_to_send") == 0;
  failure_clear(&job->work.last.failure);
  job->work.last.failure = failure;
  return false;
}

bool record_intent(Job *job) {
  LedgerEntry *entry = job->entry;
  Account *account = job->work.account;
  if (!entry)
    return true;
  entry->key = job->key;
  entry->base_url = account->service.settings.base_url;
  entry->body = job->body;
  entry->body_length = job->body_length;
  entry->doubt = job->flow.doubt;
  job->claim = engine_random_bits(job->work.engine);
  job->marked = job->flow.doubt; /* the row says sent from now on */
  work_touch_ledger(&job->work);
  if (!ledger_is_down(account->ledger) && !intend(job) &&
      !ledger_is_down(account->ledger))
    return false;
  if (ledger_is_broken(account->ledger)) {
    ledger_why(account->ledger, &job->work.last.failure);
    return false;
  }
  job_list_join(&account->unrecorded, &job->unwritten);
  return true;
}

/* It is in the ledger: durable. */
static void confirm(Job *job) {
  job_list_leave(&job->unwritten);
  job->intended = false;
  job->recorded = true;
  ledger_entry_free(job->entry);
  job->entry = NULL;
}

static Job *of_unwritten(JobLink *link) {
  return (Job *)(void *)((char *)link - offsetof(Job, unwritten));
}

static Job *of_place(JobLink *link) {
  return (Job *)(void *)((char *)link - offsetof(Job, place));
}

static void confirm_all(Account *account) {
  JobLink *link = account->unrecorded.first;
  while (link) {
    JobLink *after = link->after;
    if (of_unwritten(link)->intended)
      confirm(of_unwritten(link));
    link = after;
  }
}

/* ---- sent ---- */

bool record_must_wait(Job *job) {
  Ledger *ledger = ledger_of(job);
  if (!ledger || !ledger_is_down(ledger) || ledger_is_broken(ledger))
    return false;
  ledger_why(ledger, &job->work.last.failure);
  return true;
}

void record_hold(Job *job) {
  job->held = false;
  job_list_join(&job->work.account->held, &job->place);
}

static void ask(Job *job) {
  char id[ATTEMPT_MAX], next[ATTEMPT_MAX];
  LedgerSend send = {.attempt_id = attempt_id(job, job->sends, id),
                     .next_id = attempt_id(job, job->sends + 1, next),
                     .again = job->marked,
                     .attempts = job->flow.attempts};
  Failure failure = {0};
  job->asked = ledger_permit(ledger_of(job), job->key, &send, &failure);
  if (!job->asked && !ledger_is_down(ledger_of(job))) {
    job->exchange->failure = failure;
    job->refused = true;
    job_list_leave(&job->place);
  } else {
    failure_clear(&failure);
  }
}

static void permit(Job *job) {
  job->sends++;
  job->permitted = job->marked = true;
  job_list_leave(&job->place);
}

/* Creates that start together are permitted together, with one sync; one that
 * turns out not to have left is marked back. */
static void permit_all(Account *account) {
  Failure failure = {0};
  JobLink *after;
  bool durable;
  for (JobLink *link = account->sending.first; link; link = after) {
    Job *job = of_place(link);
    after = link->after;
    if (job->exchange && (job->recorded || job->intended))
      ask(job);
  }
  durable = ledger_flush(account->ledger, &failure);
  failure_clear(&failure);
  if (durable)
    confirm_all(account);
  for (JobLink *link = account->sending.first; link; link = after) {
    Job *job = of_place(link);
    after = link->after;
    if (job->asked && durable)
      permit(job);
    job->asked = false;
  }
}

/* Libcurl's last moment before the request: inside of it no job may be ended.
 */
static bool before_send(Exchange *exchange) {
  Job *job = exchange->owner;
  Account *account = job->work.account;
  if (!ledger_may_spend(account->ledger, &exchange->failure))
    return false;
  if (!job->permitted && !job->refused && !ledger_is_down(account->ledger))
    permit_all(account);
  if (job->permitted || job->refused)
    return job->permitted;
  ledger_why(account->ledger, &exchange->failure);
  job->held = !ledger_is_broken(account->ledger);
  work_touch_ledger(&job->work);
  return false;
}

void record_sending(Job *job, Exchange *exchange) {
  if (!ledger_of(job))
    return;
  exchange->before_send = before_send;
  job->permitted = job->held = false;
  job_list_join(&job->work.account->sending, &job->place);
}

/* ---- answers ---- */

/* Whose row it was, it is again, if nothing was sent before either. */
void record_not_sent(Job *job) {
  if (!ledger_of(job))
    return;
  job_list_leave(&job->place);
  if (!job->marked || job->flow.doubt)
    return;
  job->marked = false;
  record_tell(job, &(LedgerNews){.state = "intent",
                                 .charged = "no",
                                 .account = job->former});
}

/* For news of a job that the service knows by this account's key: if its row
 * was another's, it is this one's. */
static const char *new_account(const Job *job) {
  return job->former ? ledger_account(ledger_of(job)) : NULL;
}

/* The id in the answer to a create.  NULL = none that may be believed. */
static const char *read_id(const Buffer *body, char *id) {
  JsonPiece found = decode_job_id(body->data, body->length);
  if (!found.at)
    return NULL;
  id[decode_copy_id(&found, id)] = '\0';
  return id;
}

void record_answer(Job *job, const Exchange *exchange, const Answer *answer) {
  const Reply *reply = &exchange->reply;
  const Buffer *body = &exchange->body;
  char id[JOB_ID_MAX + 1];
  LedgerNews news = {.status = reply->status,
                     .attempts = job->flow.attempts,
                     .answer = body->length ? body->data : NULL,
                     .answer_length = body->length};
  if (!ledger_of(job))
    return;
  if (reply->kind != REPLY_ANSWERED && reply->kind != REPLY_LOST) {
    record_not_sent(job);
    return;
  }
  job_list_leave(&job->place);
  if (reply->status / 100 == 2)
    news.job_id = read_id(body, id);
  if (answer->state) {
    news.state = answer->state;
    news.charged = answer->charged ? answer->charged : "unknown";
    news.error = answer->error;
    news.account = news.job_id ? new_account(job) : NULL;
  } else if (!job->flow.doubt) { /* a 429: it was refused, and may go again */
    job->marked = false;
    news.state = "intent";
    news.charged = "no";
    news.account = job->former;
  }
  record_tell(job, &news);
}

/* A job taken up by its id alone has no key here: of the service's rows it is
 * the one with that id. */
void record_result(Job *job, const Exchange *exchange, const Answer *answer) {
  LedgerNews news = {.state = answer->state,
                     .charged = answer->charged,
                     .error = answer->error};
  if (!ledger_of(job))
    return;
  if (!job->key)
    news.job_id = job->id;
  if (answer->state) {
    news.result = exchange->body.data;
    news.result_length = exchange->body.length;
    news.failed = answer->judged.says != SAYS_SUCCEEDED;
    news.account = new_account(job);
  }
  record_tell(job, &news);
}

void record_cancelled(Job *job) {
  if (!ledger_of(job) || job->work.left)
    return;
  job->given_up = true;
  record_tell(job, &(LedgerNews){.state = "cancelled"});
}

/* ---- torn; of the end see job_end.c ---- */

void record_torn(Job *job) {
  if (!ledger_of(job))
    return;
  job_list_leave(&job->place);
  if (job->exchange && !job->exchange->guarded)
    record_not_sent(job);
}

/* ---- writing ---- */

#define RETRY_FIRST                                                            \
  0.05 /* seconds until a ledger that is down is looked at                     \
        */
#define RETRY_MAX 1.0
#define INTENTS_MAX 1000 /* that one transaction takes after that */

static bool is_up(Account *account, double now, bool last) {
  if (!ledger_is_down(account->ledger))
    return true;
  if (now < account->retry_at && !last)
    return false;
  for (JobLink *link = account->unrecorded.first; link; link = link->after)
    of_unwritten(link)->intended = false; /* lost with its transaction */
  return ledger_restart(account->ledger, last);
}

/* Those that could not be intended when they were submitted.  False when there
 * are more of them: not for the last time. */
static bool intend_all(Account *account, bool last) {
  JobLink *link = account->unrecorded.first;
  unsigned count = 0;
  for (; link && !ledger_is_down(account->ledger); link = link->after) {
    Job *job = of_unwritten(link);
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
  JobLink *link;
  while ((link = account->unrecorded.first)) {
    if (of_unwritten(link)->parting)
      job_part(of_unwritten(link), false);
    else
      job_refuse(of_unwritten(link));
  }
}

/* Those that are held again come after those that were. */
static void let_go_on(Account *account) {
  JobLink *last = account->held.last;
  JobLink *link;
  bool more = last != NULL;
  while (more && (link = account->held.first)) {
    more = link != last;
    job_list_leave(link);
    job_go_on(of_place(link));
  }
}

/* All that was told is in the ledger: but its row may be another's by now, and
 * say what that one told.  Those whose intent is not in it wait. */
static void part_all(Account *account) {
  JobLink *after;
  for (JobLink *link = account->parting.first; link; link = after) {
    Job *job = of_place(link);
    bool right = !job->unwritten.list && record_is_told(job);
    after = link->after;
    if (job->unwritten.list)
      continue;
    job->work.last.contradicted = !right;
    job_part(job, right);
  }
}

/* What they came to will never be in the ledger. */
static void part_unrecorded(Account *account) {
  JobLink *link;
  while ((link = account->parting.first))
    job_part(of_place(link), false);
}

/* It stays down: every job that waits to be sent hears why. */
static void give_up(Account *account) {
  JobLink *link;
  part_unrecorded(account);
  while ((link = account->unrecorded.first)) {
    ledger_why(account->ledger, &of_unwritten(link)->work.last.failure);
    job_refuse(of_unwritten(link));
  }
  let_go_on(account);
}

/* The look at it found it down. */
static void retry_later(Account *account) {
  double pause = fmin(fmax(account->retry_pause * 2, RETRY_FIRST), RETRY_MAX);
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
    confirm_all(account);
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
