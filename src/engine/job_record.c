/* What a job writes into the ledger, and when: see job_record.h. */
#include "job_record.h"

#include "decode.h"
#include "url.h"

#include <string.h>

static Ledger *ledger_of(const Job *job) {
  return job->work.account->ledger;
}

static void tell(Job *job, const LedgerNews *news) {
  LedgerNews told = *news;
  told.base_url = job->work.account->settings.base_url;
  ledger_tell(ledger_of(job), job->key, &told);
  work_touch_ledger(&job->work);
}

bool record_intent(Job *job) {
  LedgerEntry *entry = job->entry;
  bool ok;
  if (!entry)
    return true;
  entry->key = job->key;
  entry->base_url = job->work.account->settings.base_url;
  entry->body = job->body;
  entry->body_length = job->body_length;
  ok =
      ledger_intend(ledger_of(job), entry, job->again, &job->work.last.failure);
  work_touch_ledger(&job->work);
  ledger_entry_free(entry);
  job->entry = NULL;
  return ok;
}

/* ---- sent ---- */

static void join_sending(Job *job) {
  Account *account = job->work.account;
  job->sending = true;
  job->sending_before = NULL;
  job->sending_after = account->sending;
  if (account->sending)
    account->sending->sending_before = job;
  account->sending = job;
}

static void leave_sending(Job *job) {
  if (!job->sending)
    return;
  job->sending = false;
  if (job->sending_before)
    job->sending_before->sending_after = job->sending_after;
  else
    job->work.account->sending = job->sending_after;
  if (job->sending_after)
    job->sending_after->sending_before = job->sending_before;
}

/* Creates that start together are marked together, with one sync; one that
 * turns out not to have left is marked back. */
static bool before_send(Exchange *exchange) {
  Job *job = exchange->owner;
  Account *account = job->work.account;
  LedgerNews news = {.state = "sent", .charged = "unknown"};
  if (!ledger_may_spend(account->ledger, &exchange->failure))
    return false;
  if (!job->sending) /* marked already, with another */
    return ledger_flush(account->ledger, &exchange->failure);
  while (account->sending) {
    Job *other = account->sending;
    news.attempts = other->flow.attempts;
    ledger_tell(account->ledger, other->key, &news);
    other->marked = true;
    leave_sending(other);
  }
  return ledger_flush(account->ledger, &exchange->failure);
}

void record_sending(Job *job, Exchange *exchange) {
  if (!ledger_of(job))
    return;
  exchange->before_send = before_send;
  if (!job->marked)
    join_sending(job);
}

/* ---- answers ---- */

/* Provably nothing was sent, neither now nor before. */
static void mark_back(Job *job) {
  if (!job->marked || job->flow.doubt)
    return;
  job->marked = false;
  tell(job, &(LedgerNews){.state = "intent", .charged = "no"});
}

/* The id in the answer to a create: in all of it, or in the beginning that
 * came.  NULL = none that may be believed. */
static const char *read_id(const Reply *reply, const Buffer *body, char *id) {
  Decoded answer;
  JsonPiece found = {0};
  if (decode_reply(&answer, body->data, body->length))
    found = answer.id;
  else if (reply->partial)
    found = decode_find_id(body->data, body->length);
  if (!found.at || found.length > JOB_ID_MAX)
    return NULL;
  memcpy(id, found.at, found.length);
  id[found.length] = '\0';
  return id;
}

/* An answer of success without an id that could be polled has made a job,
 * perhaps: somebody must look. */
static void read_success(LedgerNews *news) {
  news->state = news->job_id ? "accepted" : "unknown";
  news->charged = news->job_id ? "yes" : "unknown";
}

void record_answer(Job *job, const Reply *reply, const Buffer *body) {
  char id[JOB_ID_MAX + 1];
  LedgerNews news = {.status = reply->status,
                     .attempts = job->flow.attempts,
                     .answer = body->length ? body->data : NULL,
                     .answer_length = body->length};
  if (!ledger_of(job))
    return;
  leave_sending(job);
  if (reply->kind == REPLY_NOT_SENT || reply->kind == REPLY_HOPELESS) {
    mark_back(job);
    return;
  }
  if (reply->status / 100 == 2)
    news.job_id = read_id(reply, body, id);
  if (reply->kind == REPLY_ANSWERED && reply->status / 100 == 2) {
    read_success(&news);
  } else if (!job->flow.doubt) { /* a 429: it was refused, and may go again */
    job->marked = false;
    news.state = "intent";
    news.charged = "no";
  }
  tell(job, &news);
}

/* Whether an answer to a poll is worth keeping: it ends the job, and one can do
 * something with it. */
static bool is_result(const Job *job, const Decoded *reply) {
  bool named = reply->id.at && job->id;
  if (named && (strlen(job->id) != reply->id.length ||
                memcmp(job->id, reply->id.at, reply->id.length) != 0))
    return false; /* another job's */
  return reply->status == DECODED_FAILED ||
         (reply->status == DECODED_SUCCEEDED && reply->result_count > 0);
}

/* A job taken up by its id alone has no key here: of the service's rows it is
 * the one with that id. */
void record_result(Job *job, const Buffer *body) {
  LedgerNews news = {.result = body->data, .result_length = body->length};
  Decoded reply;
  if (!ledger_of(job) || !decode_reply(&reply, body->data, body->length) ||
      !is_result(job, &reply))
    return;
  if (!job->key)
    news.job_id = job->id;
  news.failed = reply.status == DECODED_FAILED;
  tell(job, &news);
}

void record_verdict(Job *job) {
  JobNote *note = &job->note;
  LedgerNews news = {.state = note->state,
                     .charged = note->charged,
                     .job_id = note->job_id,
                     .error = note->error};
  if (ledger_of(job) && (job->key || note->job_id))
    tell(job, &news);
  job_note_free(note);
}

/* ---- the end ---- */

/* The state after an end that no answer explains; NULL = as it is. */
static const char *last_state(const Job *job, FlowEnd how) {
  bool made = job->flow.created > 0;
  if (how == FLOW_END_CANCELLED)
    return job->work.left ? NULL : "cancelled";
  if (made && how == FLOW_END_REFUSED &&
      (job->work.last.status == 404 || job->work.last.status == 410))
    return "unknown"; /* the service does not know the id: settle it by hand */
  if (made)
    return NULL; /* it goes on at the service: recover takes it up */
  if (job->flow.doubt || how == FLOW_END_LOST)
    return "unknown";
  return how == FLOW_END_REFUSED ? "refused" : "unsent";
}

void record_end(Job *job, FlowEnd how) {
  const Event *last = &job->work.last;
  LedgerNews news = {.state = last_state(job, how),
                     .error = job->work.left ? NULL : last->failure.code,
                     .status = last->status};
  if (!ledger_of(job) || how == FLOW_END_ANSWERED || !job->key ||
      !job->recorded)
    return;
  leave_sending(job);
  tell(job, &news);
}

void record_torn(Job *job) {
  if (!ledger_of(job))
    return;
  leave_sending(job);
  if (job->exchange && !job->exchange->guarded)
    mark_back(job);
}
