/* What a job writes into the ledger, and when: see job_record.h. */
#include "job_record.h"

#include "engine/base/clock.h"
#include "engine/base/url.h"
#include "engine/rules/api_reply.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---- whose row it is ---- */

const char *record_attempt_id(const Job *job, unsigned n, char *text) {
  snprintf(text, RECORD_ATTEMPT_MAX, "%016" PRIx64 "-%u", job->claim, n);
  return text;
}

/* What only who sends it can say; all else is a fact that the service told. */
static bool is_own_word(const char *state) {
  return state && strcmp(state, "accepted") != 0 &&
         strcmp(state, "succeeded") != 0 && strcmp(state, "failed") != 0;
}

void record_tell(Job *job, const LedgerNews *news) {
  LedgerNews told = *news;
  char id[RECORD_ATTEMPT_MAX], next[RECORD_ATTEMPT_MAX];
  told.base_url = job->op.account->service.settings.base_url;
  if (job->claim && is_own_word(news->state)) {
    told.attempt_id = record_attempt_id(job, job->sends, id);
    told.next_id =
        record_attempt_id(job, job->sends + 1, next); /* never confirmed */
    if (job->entry && job->again) { /* not known to be taken over */
      told.seen_id = job->entry->seen_id;
      told.seen_maybe_charged = job->entry->maybe_charged;
    }
  }
  ledger_tell(job_ledger(job), job->idempotency_key, &told);
  op_touch_ledger(&job->op);
}

/* ---- sent ---- */

bool record_must_wait(Job *job) {
  Ledger *ledger = job_ledger(job);
  if (!ledger || !ledger_is_down(ledger) || ledger_is_broken(ledger))
    return false;
  ledger_why(ledger, &job->op.last.failure);
  return true;
}

void record_hold(Job *job) {
  job->held = false;
  queue_append(&job->op.account->held, &job->place);
}

static void ask(Job *job) {
  char id[RECORD_ATTEMPT_MAX], next[RECORD_ATTEMPT_MAX];
  LedgerSend send = {.attempt_id = record_attempt_id(job, job->sends, id),
                     .next_id = record_attempt_id(job, job->sends + 1, next),
                     .again = job->marked,
                     .attempts = job->state.attempts};
  Failure failure = {0};
  job->asked =
      ledger_permit(job_ledger(job), job->idempotency_key, &send, &failure);
  if (!job->asked && !ledger_is_down(job_ledger(job))) {
    job->exchange->failure = failure;
    job->refused = true;
    queue_remove(&job->place);
  } else {
    failure_clear(&failure);
  }
}

static void permit(Job *job) {
  job->sends++;
  job->permitted = job->marked = true;
  queue_remove(&job->place);
}

/* Creates that start together are permitted together, with one sync; one that
 * turns out not to have left is marked back. */
static void permit_all(Account *account) {
  Failure failure = {0};
  QueueLink *next;
  bool durable;
  for (QueueLink *link = account->sending.first; link; link = next) {
    Job *job = job_of_place(link);
    next = link->next;
    if (job->exchange && (job->recorded || job->intended))
      ask(job);
  }
  durable = ledger_flush(account->ledger, &failure);
  failure_clear(&failure);
  if (durable)
    record_confirm_all(account);
  for (QueueLink *link = account->sending.first; link; link = next) {
    Job *job = job_of_place(link);
    next = link->next;
    if (job->asked && durable)
      permit(job);
    job->asked = false;
  }
}

/* Libcurl's last moment before the request: inside of it no job may be ended.
 */
static bool before_send(Exchange *exchange) {
  Job *job = exchange->owner;
  Account *account = job->op.account;
  if (!ledger_may_spend(account->ledger, &exchange->failure))
    return false;
  if (!job->permitted && !job->refused && !ledger_is_down(account->ledger))
    permit_all(account);
  if (job->permitted || job->refused)
    return job->permitted;
  ledger_why(account->ledger, &exchange->failure);
  job->held = !ledger_is_broken(account->ledger);
  op_touch_ledger(&job->op);
  return false;
}

void record_sending(Job *job, Exchange *exchange) {
  if (!job_ledger(job))
    return;
  exchange->before_send = before_send;
  job->permitted = job->held = false;
  queue_append(&job->op.account->sending, &job->place);
}

/* ---- answers ---- */

/* Whose row it was, it is again, if nothing was sent before either. */
void record_not_sent(Job *job) {
  if (!job_ledger(job))
    return;
  queue_remove(&job->place);
  if (!job->marked || job->state.maybe_charged)
    return;
  job->marked = false;
  record_tell(job, &(LedgerNews){.state = "intent",
                                 .charged = "no",
                                 .account = job->former});
}

/* For news of a job that the service knows by this account's key: if its row
 * was another's, it is this one's. */
static const char *new_account(const Job *job) {
  return job->former ? ledger_account(job_ledger(job)) : NULL;
}

/* The id in the answer to a create.  NULL = none that may be believed. */
static const char *read_id(const Buffer *body, char *id) {
  JsonPiece found = api_reply_job_id(body->data, body->length);
  if (!found.at)
    return NULL;
  id[api_reply_copy_id(&found, id)] = '\0';
  return id;
}

void record_answer(Job *job, const Exchange *exchange, const Answer *answer) {
  const HttpOutcome *reply = &exchange->reply;
  const Buffer *body = &exchange->body;
  char id[JOB_ID_MAX + 1];
  LedgerNews news = {.status = reply->status,
                     .attempts = job->state.attempts,
                     .answer = body->length ? body->data : NULL,
                     .answer_length = body->length,
                     .parts = job->state.phase == PHASE_ENDED};
  if (!job_ledger(job))
    return;
  if (reply->kind != OUTCOME_ANSWERED && reply->kind != OUTCOME_LOST) {
    record_not_sent(job);
    return;
  }
  queue_remove(&job->place);
  if (reply->status / 100 == 2)
    news.job_id = read_id(body, id);
  if (answer->state) {
    news.state = answer->state;
    news.charged = answer->charged ? answer->charged : "unknown";
    news.error = answer->error;
    news.account = news.job_id ? new_account(job) : NULL;
  } else if (!job->state.maybe_charged) { /* a 429: it was refused, and may go
                                             again */
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
                     .error = answer->error,
                     .parts = true};
  if (!job_ledger(job))
    return;
  if (!job->idempotency_key)
    news.job_id = job->id;
  if (answer->state) {
    news.result = exchange->body.data;
    news.result_length = exchange->body.length;
    news.seconds = answer->seconds;
    news.failed = answer->judged.says != SAYS_SUCCEEDED;
    news.account = new_account(job);
  }
  record_tell(job, &news);
}

void record_cancelled(Job *job) {
  if (!job_ledger(job) || job->op.detached)
    return;
  job->given_up = true;
  record_tell(job, &(LedgerNews){.state = "cancelled"});
}

/* ---- torn; of the end see job_end.c ---- */

void record_torn(Job *job) {
  if (!job_ledger(job))
    return;
  queue_remove(&job->place);
  if (job->exchange && !job->exchange->sent_once)
    record_not_sent(job);
}
