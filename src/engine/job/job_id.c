/* Which id an answer gives a job, and whether it may: see job_id.h. */
#include "job_id.h"

#include "engine/rules/api_reply.h"

#include <stdlib.h>
#include <string.h>

#define TAKEN                                                                  \
  "the service answered with the id of another job, so that nothing is known " \
  "of this one"

/* A ledger that is down is not asked: what it would say is in the account's
 * book, too, if it was this program that learnt it. */
static bool is_free(Job *job, const char *id) {
  Account *account = job->op.account;
  Ledger *ledger = account->ledger;
  if (ledger && !ledger_is_down(ledger) &&
      ledger_has_other(ledger, account->service.settings.base_url, id,
                       job->idempotency_key))
    return false;
  return id_book_claim(&account->ids, id, job->idempotency_key);
}

void job_check_id(Job *job, Exchange *exchange) {
  char id[JOB_ID_MAX + 1];
  HttpOutcome *reply = &exchange->reply;
  JsonPiece found;
  if (reply->status / 100 != 2 ||
      !(reply->kind == OUTCOME_ANSWERED || reply->partial))
    return;
  found = api_reply_job_id(exchange->body.data, exchange->body.length);
  if (!found.at)
    return;
  id[api_reply_copy_id(&found, id)] = '\0';
  if (is_free(job, id))
    return;
  failure_clear(&exchange->failure);
  failure_set(&exchange->failure, "protocol", "job_id_taken", TAKEN);
  *reply = (HttpOutcome){.kind = OUTCOME_LOST, .retry_after = -1};
}

bool job_set_id(Job *job, const char *id, size_t length) {
  char *fitting;
  if (length > JOB_ID_ROOM && length > job->body_length) {
    fitting = realloc(job->body, length + 1);
    if (!fitting)
      return false;
    job->body = fitting;
  }
  memcpy(job->body, id, length);
  job->body[length] = '\0';
  job->id = job->body;
  job->body = NULL;
  fitting = realloc(job->id, length + 1);
  if (fitting)
    job->id = fitting;
  return true;
}
