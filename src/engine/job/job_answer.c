/* What an exchange has brought for its job: see job_answer.h. */
#include "job_answer.h"

#include "engine/base/url.h"
#include "engine/rules/service_code.h"
#include "job_id.h"
#include "job_record.h"
#include "job_tell.h"

#include <string.h>

/* ---- reading ---- */

/* Of a poll only a whole answer counts: it is asked again. */
static bool is_said(const HttpOutcome *reply, bool created) {
  if (reply->status / 100 != 2)
    return false;
  return reply->kind == OUTCOME_ANSWERED || (created && reply->partial);
}

void answer_read(Job *job, Exchange *exchange, Answer *answer) {
  const Buffer *body = &exchange->body;
  HttpOutcome *reply = &exchange->reply;
  answer->created = job->state.phase == PHASE_CREATING;
  answer->judged = (Judged){0};
  answer->state = answer->charged = answer->error = NULL;
  answer->seconds = 0;
  if (answer->created)
    job_check_id(job, exchange);
  answer->said = is_said(reply, answer->created);
  if (!answer->said)
    return;
  answer->judged =
      answer->created
          ? judge_create(&answer->reply, body->data, body->length)
          : judge_poll(&answer->reply, body->data, body->length, job->id);
  reply->says = answer->judged.says;
  reply->named = answer->judged.id.at != NULL;
  if (!answer->created && judge_vouches(&answer->judged))
    job->hearsay = false;
}

/* ---- what follows ---- */

/* False without memory. */
static bool take_id(Job *job, const JsonPiece *id) {
  char text[JOB_ID_MAX];
  if (!job_set_id(job, text, api_reply_copy_id(id, text)))
    return false;
  job->twice = job->state.earlier_maybe_charged &&
               !(job->earlier_id && strcmp(job->earlier_id, job->id) == 0);
  return true;
}

/* What the service says of the money. */
static const char *charged_by(const Job *job, const Answer *answer) {
  if (answer->judged.says == SAYS_FAILED || answer->judged.says == SAYS_TROUBLE)
    return judge_charged_of_failure(&answer->reply, job->twice,
                                    job->earlier_paid);
  return "yes";
}

/* Its code, where it sent one, is the detail. */
static void set_failure(const Job *job, Exchange *exchange, Answer *answer) {
  Failure *failure = &exchange->failure;
  failure_clear(failure);
  *failure = (Failure){.kind = "job_failed", .code = "generation_failed"};
  failure->detail =
      service_code(&answer->reply, account_api_key(job->op.account));
  answer->error = failure->detail ? failure->detail : failure->code;
}

static void explain_unusable(const Job *job, const Answer *answer,
                             Failure *failure) {
  if (answer->created && answer->judged.readable)
    failure_set(failure, "protocol", "job_id_missing",
                "the service accepted the job but its answer holds no usable "
                "job id: it may have been paid, and was not sent again");
  else if (answer->created)
    failure_set(failure, "protocol", "unreadable_reply",
                "the service's answer to the create is not readable: the job "
                "may have been paid, and was not sent again");
  else if (answer->judged.says == SAYS_EMPTY &&
           job->state.mode != JOB_MODE_POLL_ONCE)
    failure_set(failure, "protocol", "results_missing",
                "the service says the job succeeded but gives no images");
  else
    failure_set(failure, "protocol", "unreadable_reply",
                "the service's answer to the poll is not usable");
}

/* That the beginning of an answer is of no use has its own reason already. */
static void set_unusable(const Job *job, Exchange *exchange, Answer *answer) {
  if (!exchange->reply.partial)
    explain_unusable(job, answer, &exchange->failure);
  answer->error = exchange->failure.code;
}

/* The state of its row after an answer that ends it, or gives it its id. */
static const char *state_after(const Job *job, JobAction action) {
  if (job->given_up)
    return "cancelled";
  if (action.what == JOB_DO_END && action.end == JOB_END_SUCCEEDED)
    return "succeeded";
  if (action.what == JOB_DO_END && action.end == JOB_END_FAILURE)
    return "failed";
  return job->id ? "accepted" : "unknown";
}

/* The service has it, or so it says. */
static JobAction settle_created(Job *job, Exchange *exchange, Answer *answer,
                                JobAction action) {
  const JsonPiece *id = &answer->judged.id;
  bool taken = id->at && take_id(job, id);
  answer->charged = id->at ? charged_by(job, answer) : NULL;
  answer->state = state_after(job, action);
  if (!id->at || taken)
    return action;
  answer->state = "accepted";
  failure_clear(&exchange->failure);
  failure_set(&exchange->failure, "lost", "out_of_memory", "out of memory");
  return (JobAction){.what = JOB_DO_END, .end = JOB_END_LOST};
}

JobAction answer_settle(Job *job, Exchange *exchange, Answer *answer,
                        JobAction action) {
  bool ends = action.what == JOB_DO_END;
  if (answer->said && ends && action.end == JOB_END_FAILURE)
    set_failure(job, exchange, answer);
  if (answer->said && ends && action.end == JOB_END_UNUSABLE)
    set_unusable(job, exchange, answer);
  if (answer->said && answer->created && job->state.created > 0)
    return settle_created(job, exchange, answer, action);
  if (ends &&
      (action.end == JOB_END_SUCCEEDED || action.end == JOB_END_FAILURE)) {
    answer->charged = charged_by(job, answer);
    answer->state = state_after(job, action);
  }
  return action;
}

/* ---- telling ---- */

void answer_tell(Job *job, Exchange *exchange, const Answer *answer,
                 JobAction action) {
  bool accepted = answer->created && job->state.created > 0;
  if (answer->created)
    record_answer(job, exchange, answer);
  else if (answer->state || answer->error)
    record_result(job, exchange, answer);
  if (action.what == JOB_DO_END)
    tell_last(job, exchange, answer);
  else if (accepted)
    tell_created(job, exchange, answer);
  else if (answer->said)
    tell_status(job, exchange, answer);
  else
    tell_keep_failure(job, exchange);
  if (action.unusable)
    tell_unusable(job, exchange);
}
