/* What a job tells its host: see job_tell.h. */
#include "job_tell.h"

#include "engine/base/clock.h"
#include "engine/core/event_count.h"

#include <stdlib.h>
#include <string.h>

/* A step that can be undone: bodies that differ in one word alone never come
 * to the same number. */
static uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 32;
}

/* Good enough to notice that a reply has changed, eight bytes at a time. */
static uint64_t fingerprint(const Buffer *body) {
  uint64_t hash = body->length;
  uint64_t word;
  size_t i = 0;
  for (; i + sizeof word <= body->length; i += sizeof word) {
    memcpy(&word, body->data + i, sizeof word);
    hash = mix(hash, word);
  }
  for (; i < body->length; i++)
    hash = mix(hash, (unsigned char)body->data[i]);
  return hash;
}

/* What every event of a job says. */
static void describe(const Job *job, Event *event) {
  event->id = job->id;
  event->attempts = job->state.attempts;
  event->polls = job->state.polls;
  event->sent = job->state.sent;
  event->maybe_charged = job->state.maybe_charged || job->refused;
  event->risked = job->state.risked;
  event->hearsay = job->hearsay;
  event->earlier_maybe_charged = job->state.earlier_maybe_charged;
  event->earlier_risk = job->state.earlier_risk;
}

static Event *event_of(Job *job, EventKind kind) {
  Event *event = op_event(job->op.engine, kind);
  if (event)
    describe(job, event);
  return event;
}

/* Moves the body of `exchange` into `event`, in memory of its own size: where
 * the host is behind, many wait. */
static void give_body(Exchange *exchange, Event *event) {
  char *trimmed;
  event->status = exchange->reply.status;
  free(event->body);
  event->body = buffer_detach(&exchange->body, &event->body_length);
  trimmed = event->body ? realloc(event->body, event->body_length + 1) : NULL;
  if (trimmed)
    event->body = trimmed;
}

/* What is no news to anybody but a host with an on_event. */
static void post_news(Job *job, Event *event) {
  if (job->has_listener)
    op_post(&job->op, event);
  else
    op_post_idly(&job->op, event);
}

/* What is only a step on the way is left out where the host is far behind and
 * does not ask for each: the next event says as much. */
void tell_bare(Job *job, EventKind kind) {
  Event *event;
  if (!job->has_listener &&
      event_count_is_high(engine_event_count(job->op.engine)))
    return;
  event = event_of(job, kind);
  if (event)
    post_news(job, event);
}

void tell_retry(Job *job, double at) {
  const Failure *failure = &job->op.last.failure;
  Event *event;
  if (!job->has_listener || !(event = event_of(job, EVENT_RETRY)))
    return;
  event->delay = at - clock_monotonic();
  event->status = job->op.last.status;
  if (failure->kind)
    failure_set(&event->failure, failure->kind, failure->code, "%s",
                failure->detail ? failure->detail : "");
  else
    failure_set(&event->failure, "server", "http_status",
                "the service answered with HTTP status %d", event->status);
  op_post(&job->op, event);
}

/* What the answer says, which comes with its body. */
static void quote(Event *event, Exchange *exchange, const Answer *answer) {
  event->created = answer->created;
  event->partial = exchange->reply.partial;
  event->says = answer->judged.says;
  event->charged = answer->charged;
  event->running =
      answer->judged.readable && answer->reply.status == API_RUNNING;
  event->has_balance = answer->judged.readable && answer->reply.has_balance;
  if (event->has_balance)
    event->balance = answer->reply.balance;
}

void tell_created(Job *job, Exchange *exchange, const Answer *answer) {
  Event *event = event_of(job, EVENT_CREATED);
  if (!event)
    return;
  event->delay = job->state.created;
  job->told = fingerprint(&exchange->body);
  quote(event, exchange, answer);
  give_body(exchange, event);
  post_news(job, event);
}

void tell_status(Job *job, Exchange *exchange, const Answer *answer) {
  uint64_t now = fingerprint(&exchange->body);
  Event *event;
  if (now == job->told || !(event = event_of(job, EVENT_STATUS)))
    return;
  job->told = now;
  quote(event, exchange, answer);
  give_body(exchange, event);
  op_post_newest(&job->op, event, !job->has_listener);
}

void tell_unusable(Job *job, const Exchange *exchange) {
  Event *last = &job->op.last;
  last->status = exchange->reply.status;
  failure_set(&last->failure, "protocol", "unreadable_reply",
              "the service's answer to the poll is not usable");
}

void tell_last(Job *job, Exchange *exchange, const Answer *answer) {
  tell_keep_failure(job, exchange);
  if (answer->said)
    quote(&job->op.last, exchange, answer);
}

void tell_keep_failure(Job *job, Exchange *exchange) {
  Event *last = &job->op.last;
  last->failure = exchange->failure;
  exchange->failure = (Failure){0};
  last->delay = exchange->reply.retry_after;
  give_body(exchange, last);
}

void tell_forget_failure(Job *job) {
  Event *last = &job->op.last;
  failure_clear(&last->failure);
  free(last->body);
  last->body = NULL;
  last->body_length = 0;
  last->status = 0;
  last->delay = -1;
}

/* Its detail is what the last exchange came to nothing by; none when it went
 * well. */
static void set_timeout(Event *last) {
  Failure trouble = last->failure;
  last->failure = (Failure){.kind = "timeout", .code = "deadline_passed"};
  if (trouble.kind)
    last->failure.detail = trouble.detail;
  else if (last->status)
    failure_set(&last->failure, "timeout", "deadline_passed", "HTTP status %d",
                last->status);
}

void tell_end(Job *job, JobEnd how) {
  Event *last = &job->op.last;
  describe(job, last);
  last->end = how;
  if (how == JOB_END_TIMEOUT)
    set_timeout(last);
  else if (how == JOB_END_CANCELLED)
    failure_set(&last->failure, "cancelled", "cancelled", "cancelled");
  else if (how == JOB_END_LOST && last->failure.kind &&
           strcmp(last->failure.kind, "protocol") != 0)
    last->failure.kind = "lost";
}
