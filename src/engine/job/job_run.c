/* What drives a job: its state says what to do, this does it.  See job.h. */
#include "job.h"

#include "engine/base/clock.h"
#include "job_answer.h"
#include "job_gate.h"
#include "job_id.h"
#include "job_record.h"
#include "job_tell.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void act(Job *job, JobAction action);
static void set_checked(Job *job, bool checked);

/* Seconds that one exchange may take from `now` on. */
static double time_left(const Job *job, double now) {
  double left = job->state.deadline - now;
  double request = job->op.account->settings.request_timeout;
  if (left > request)
    return request;
  return left > 0.001 ? left : 0.001;
}

void job_part(Job *job, bool recorded) {
  job->parting = false;
  job->op.last.unrecorded = !recorded;
  queue_remove(&job->place);
  queue_remove(&job->unwritten);
  op_end(&job->op);
}

/* That it was not sent, and never will be, is told once the ledger knows it:
 * else the next process would send it.  Not later than its grace, though: it
 * is then told that this is not known. */
static void end(Job *job, JobEnd how) {
  Duration so_far;
  if (job_state_runs(&job->state, &so_far))
    account_saw(job->op.account, job->state.class, so_far, true);
  tell_end(job, how);
  job->parting = record_end(job, how);
  set_checked(job, false);
  job_gate_leave(job);
  limiter_release(&job->permit);
  if (job->parting)
    heap_set(&engine_loop(job->op.engine)->heap, &job->op.timer,
             record_grace(job));
  else
    op_end(&job->op);
  limiter_dispatch(&job->op.account->limiter);
}

/* What the answer says about how many jobs at once are welcome. */
static void set_pace(Job *job, const HttpOutcome *reply, bool created,
                     double now) {
  AdaptiveLimit *limit = &job->op.account->limiter.limit;
  if (reply->kind != OUTCOME_ANSWERED)
    return;
  if (reply->status == 429)
    adaptive_limit_on_429(limit, now, reply->retry_after);
  else if (created && reply->status >= 200 && reply->status <= 299)
    adaptive_limit_on_success(limit, now);
}

/* How long the next ones will take; and those that run, at least. */
static void learn(Job *job, Answer *answer, JobAction action, double now) {
  Account *account = job->op.account;
  unsigned class = job->state.class;
  Duration one;
  if (action.what != JOB_DO_END) {
    if (job_state_runs(&job->state, &one) && answer->created)
      account_follow(account, class, one);
    else if (job_state_runs(&job->state, &one))
      account_saw(account, class, one, false);
  } else if (!answer->created && action.end == JOB_END_SUCCEEDED &&
             job_state_took(&job->state, now, &one))
    answer->seconds = account_learn(account, class, one, now);
}

static void on_exchanged(Exchange *exchange) {
  Job *job = exchange->owner;
  double now = clock_monotonic();
  JobAction action;
  Answer answer;
  if (job_gate_over(job, exchange, now)) /* it waits, and nothing has been */
    return;
  answer_read(job, exchange, &answer);
  if (exchange->blocked && job->held)
    exchange->reply.kind = OUTCOME_HELD;
  account_plan(job->op.account, job->state.class, now);
  action = job_state_on_reply(&job->state, &exchange->reply, now,
                              engine_random(job->op.engine));
  job->exchange = NULL;
  learn(job, &answer, action, now);
  set_pace(job, &exchange->reply, answer.created, now);
  tell_forget_failure(job);
  action = answer_settle(job, exchange, &answer, action);
  answer_tell(job, exchange, &answer, action);
  act(job, action);
  http_release(exchange);
}

/* The exchange could not even be started. */
static void on_not_started(Job *job) {
  HttpOutcome reply = {.kind = OUTCOME_NOT_SENT, .retry_after = -1};
  const char *code = job->op.last.failure.code;
  if (job_gate_not_begun(job, clock_monotonic()))
    return;
  if (code && strcmp(code, "libcurl_unavailable") == 0)
    reply.kind = OUTCOME_HOPELESS;
  act(job, job_state_on_reply(&job->state, &reply, clock_monotonic(),
                              engine_random(job->op.engine)));
}

/* The ledger is down: the create is not even begun. */
static void hold(Job *job) {
  HttpOutcome reply = {.kind = OUTCOME_HELD, .retry_after = -1};
  job_gate_leave(job);
  act(job, job_state_on_reply(&job->state, &reply, clock_monotonic(), 0));
}

static void await_exchange(Job *job, Exchange *exchange) {
  if (!exchange) {
    on_not_started(job);
    return;
  }
  job->exchange = exchange;
  exchange->done = on_exchanged;
  exchange->owner = job;
}

static void send_create(Job *job) {
  Exchange *exchange;
  if (record_must_wait(job)) {
    hold(job);
    return;
  }
  tell_bare(job, EVENT_CREATING);
  exchange =
      http_post(engine_loop(job->op.engine), &job->op.account->service,
                job->body, job->body_length, job->idempotency_key,
                time_left(job, clock_monotonic()), &job->op.last.failure);
  if (exchange)
    record_sending(job, exchange);
  await_exchange(job, exchange);
}

static void send_poll(Job *job) {
  Account *account = job->op.account;
  job_state_on_sent(&job->state, clock_monotonic());
  await_exchange(job, http_get(engine_loop(job->op.engine), &account->service,
                               service_poll_url(&account->service, job->id),
                               time_left(job, clock_monotonic()),
                               &job->op.last.failure));
}

void job_send(Job *job) {
  if (job->state.phase == PHASE_CREATING)
    send_create(job);
  else
    send_poll(job);
}

/* Waits for a place at the service, until its deadline at most. */
static void wait_for_turn(Job *job) {
  if (!isinf(job->state.deadline))
    heap_set(&engine_loop(job->op.engine)->heap, &job->op.timer,
             job->state.deadline);
  limiter_wait(&job->permit);
  limiter_dispatch(&job->op.account->limiter);
}

/* Its references are good, and it waits for its turn; or it does no more. */
static void set_checked(Job *job, bool checked) {
  Account *account = job->op.account;
  if (job->checked == checked)
    return;
  job->checked = checked;
  account->checked += checked ? 1u : -1u;
  if (!checked)
    checks_advance(engine_checks(job->op.engine));
}

static void fail_check(Job *job) {
  failure_set(&job->op.last.failure, "network", "out_of_memory",
              "the reference images could not be checked");
  act(job, (JobAction){.what = JOB_DO_END, .end = JOB_END_FAILED});
}

static void on_probed(void *owner, ProbeFailure *bad) {
  Job *job = owner;
  Event *last = &job->op.last;
  job->probe = NULL;
  if (!bad) {
    set_checked(job, true);
    wait_for_turn(job);
  } else if (strcmp(bad->failure.kind, "validation") != 0) {
    failure_clear(&bad->failure);
    fail_check(job);
  } else {
    last->failure = bad->failure;
    last->index = bad->index;
    last->status = bad->status;
    last->delay = bad->retry_after;
    last->temporary = bad->temporary;
    act(job, job_state_on_checked(&job->state, false, clock_monotonic()));
  }
}

static void check_references(Job *job) {
  Checks *checks = engine_checks(job->op.engine);
  ProbeSpec spec = {.urls = job->references,
                    .count = job->reference_count,
                    .timer = &job->op.timer,
                    .deadline = job->state.deadline,
                    .done = on_probed,
                    .owner = job};
  job->probe =
      probe_start(engine_loop(job->op.engine), checks, job->op.account, &spec);
  if (job->probe)
    checks_advance(checks);
  else
    fail_check(job);
}

static void act(Job *job, JobAction action) {
  switch (action.what) {
  case JOB_DO_CHECK:
    check_references(job);
    break;
  case JOB_DO_CREATE:
    job_gate_wait(job, GATE_CREATE);
    break;
  case JOB_DO_POLL:
    job_gate_wait(job, GATE_POLL);
    break;
  case JOB_DO_WAIT:
    heap_set(&engine_loop(job->op.engine)->heap, &job->op.timer, action.at);
    if (job->state.phase == PHASE_HELD)
      record_hold(job);
    if (action.retry)
      tell_retry(job, job->state.phase == PHASE_HELD ? clock_monotonic() + 1
                                                     : action.at);
    break;
  case JOB_DO_END:
    end(job, action.end);
    break;
  case JOB_DO_NOTHING:
    break;
  }
}

static void let_probe_go(Job *job) {
  Probe *probe = job->probe;
  job->probe = NULL;
  if (!probe)
    return;
  probe_explain(probe, &job->op.last.failure);
  probe_abort(probe);
}

static void begin(Job *job) {
  heap_clear(&engine_loop(job->op.engine)->heap, &job->op.timer);
  act(job, job_state_start(&job->state, clock_monotonic()));
}

static void on_permit(Permit *permit) {
  Job *job = (Job *)(void *)((char *)permit - offsetof(Job, permit));
  if (!job->checked) {
    begin(job);
    return;
  }
  heap_clear(&engine_loop(job->op.engine)->heap, &job->op.timer);
  set_checked(job, false);
  act(job, job_state_on_checked(&job->state, true, clock_monotonic()));
}

static void start(Op *op) {
  Job *job = (Job *)op;
  job->permit.limiter = &op->account->limiter;
  job->permit.begin = on_permit;
  if (job->has_listener)
    tell_bare(job, EVENT_QUEUED);
  if (job->state.mode == JOB_MODE_POLL_ONCE ||
      job->state.mode == JOB_MODE_RESUME) {
    job->recorded = job->idempotency_key && op->account->ledger;
    limiter_acquire(&job->permit);
    begin(job);
    return;
  }
  if (!record_intent(job)) {
    act(job, (JobAction){.what = JOB_DO_END, .end = JOB_END_FAILED});
    return;
  }
  job->recorded = op->account->ledger != NULL;
  if (job->state.check) /* before it has a place: others need not wait for it */
    begin(job);
  else
    wait_for_turn(job);
}

static void on_timer(Op *op) {
  Job *job = (Job *)op;
  double now = clock_monotonic();
  if (job->parting)
    job_part(job, record_is_told(job));
  else if (job->probe && now < job->state.deadline)
    probe_on_timer(job->probe, now);
  else if (gate_is_waiting(&job->gate))
    act(job, job_gate_overdue(job));
  else {
    let_probe_go(job);
    act(job, job_state_on_timer(&job->state, now));
  }
}

static void stop(Op *op) {
  Job *job = (Job *)op;
  record_torn(job);
  if (job->exchange)
    http_abort(engine_loop(op->engine), job->exchange);
  job->exchange = NULL;
  job_gate_leave(job);
  let_probe_go(job);
}

void job_go_on(Job *job) {
  act(job, job_state_on_ready(&job->state, clock_monotonic()));
}

void job_refuse(Job *job) {
  stop(&job->op);
  act(job, (JobAction){.what = JOB_DO_END, .end = JOB_END_FAILED});
}

static void on_cancel(Op *op) {
  Job *job = (Job *)op;
  bool gone = job->exchange && job->exchange->sent_once;
  JobAction action;
  if (job->parting) /* it has ended, and waits for its word */
    return;
  action = job_state_on_cancel(&job->state, gone);
  if (action.what == JOB_DO_END)
    stop(op);
  else if (job->state.cancelled)
    record_cancelled(job);
  act(job, action);
}

static void on_late_cancel(Op *op) {
  record_late_cancel((Job *)op);
}

static void free_job(Op *op) {
  Job *job = (Job *)op;
  for (unsigned i = 0; i < job->reference_count; i++)
    free(job->references[i]);
  free(job->references);
  ledger_entry_free(job->entry);
  free(job->former);
  free(job->earlier_id);
  free(job->body);
  free(job->id);
}

/* A new job has no row before it is started; of any other the ledger knows. */
static bool records(const Op *op) {
  const Job *job = (const Job *)op;
  return job->entry && !job->again;
}

const OpType job_type = {.start = start,
                         .on_timer = on_timer,
                         .on_cancel = on_cancel,
                         .on_late_cancel = on_late_cancel,
                         .stop = stop,
                         .free = free_job,
                         .records = records,
                         .may_batch = true};
