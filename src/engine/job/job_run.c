/* What drives a job: its flow says what to do, this does it.  See job.h. */
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

static void act(Job *job, FlowAction action);
static void set_checked(Job *job, bool checked);

/* Seconds that one exchange may take from `now` on. */
static double time_left(const Job *job, double now) {
  double left = job->flow.deadline - now;
  double request = job->work.account->settings.request_timeout;
  if (left > request)
    return request;
  return left > 0.001 ? left : 0.001;
}

void job_part(Job *job, bool recorded) {
  job->parting = false;
  job->work.last.unrecorded = !recorded;
  job_list_leave(&job->place);
  job_list_leave(&job->unwritten);
  work_end(&job->work);
}

/* That it was not sent, and never will be, is told once the ledger knows it:
 * else the next process would send it.  Not later than its grace, though: it
 * is then told that this is not known. */
static void end(Job *job, FlowEnd how) {
  tell_end(job, how);
  job->parting = record_end(job, how);
  set_checked(job, false);
  job_gate_leave(job);
  turn_leave(&job->turn);
  if (job->parting)
    heap_set(&engine_loop(job->work.engine)->heap, &job->work.timer,
             record_grace(job));
  else
    work_end(&job->work);
  turn_advance(&job->work.account->turns);
}

/* What the answer says about how many jobs at once are welcome. */
static void set_pace(Job *job, const Reply *reply, bool created, double now) {
  Pace *pace = &job->work.account->turns.pace;
  if (reply->kind != REPLY_ANSWERED)
    return;
  if (reply->status == 429)
    pace_slow_down(pace, now, reply->retry_after);
  else if (created && reply->status >= 200 && reply->status <= 299)
    pace_succeed(pace, now);
}

static void on_exchanged(Exchange *exchange) {
  Job *job = exchange->owner;
  double now = clock_monotonic();
  FlowAction action;
  Answer answer;
  if (job_gate_over(job, exchange, now)) /* it waits, and nothing has been */
    return;
  answer_read(job, exchange, &answer);
  if (exchange->blocked && job->held)
    exchange->reply.kind = REPLY_HELD;
  action = flow_on_reply(&job->flow, &exchange->reply, now,
                         engine_random(job->work.engine));
  job->exchange = NULL;
  set_pace(job, &exchange->reply, answer.created, now);
  tell_forget_failure(job);
  action = answer_settle(job, exchange, &answer, action);
  answer_tell(job, exchange, &answer, action);
  act(job, action);
  http_release(exchange);
}

/* The exchange could not even be started. */
static void on_not_started(Job *job) {
  Reply reply = {.kind = REPLY_NOT_SENT, .retry_after = -1};
  const char *code = job->work.last.failure.code;
  if (job_gate_not_begun(job, clock_monotonic()))
    return;
  if (code && strcmp(code, "libcurl_unavailable") == 0)
    reply.kind = REPLY_HOPELESS;
  act(job, flow_on_reply(&job->flow, &reply, clock_monotonic(),
                         engine_random(job->work.engine)));
}

/* The ledger is down: the create is not even begun. */
static void hold(Job *job) {
  Reply reply = {.kind = REPLY_HELD, .retry_after = -1};
  job_gate_leave(job);
  act(job, flow_on_reply(&job->flow, &reply, clock_monotonic(), 0));
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
      http_post(engine_loop(job->work.engine), &job->work.account->service,
                job->body, job->body_length, job->key,
                time_left(job, clock_monotonic()), &job->work.last.failure);
  if (exchange)
    record_sending(job, exchange);
  await_exchange(job, exchange);
}

static void send_poll(Job *job) {
  Account *account = job->work.account;
  await_exchange(job, http_get(engine_loop(job->work.engine), &account->service,
                               service_poll_url(&account->service, job->id),
                               time_left(job, clock_monotonic()),
                               &job->work.last.failure));
}

void job_send(Job *job) {
  if (job->flow.state == FLOW_CREATING)
    send_create(job);
  else
    send_poll(job);
}

/* Waits for a place at the service, until its deadline at most. */
static void wait_for_turn(Job *job) {
  if (!isinf(job->flow.deadline))
    heap_set(&engine_loop(job->work.engine)->heap, &job->work.timer,
             job->flow.deadline);
  turn_join(&job->turn);
  turn_advance(&job->work.account->turns);
}

/* Its references are good, and it waits for its turn; or it does no more. */
static void set_checked(Job *job, bool checked) {
  Account *account = job->work.account;
  if (job->checked == checked)
    return;
  job->checked = checked;
  account->checked += checked ? 1u : -1u;
  if (!checked)
    checks_advance(engine_checks(job->work.engine));
}

static void fail_check(Job *job) {
  failure_set(&job->work.last.failure, "network", "out_of_memory",
              "the reference images could not be checked");
  act(job, (FlowAction){.what = FLOW_DO_END, .end = FLOW_END_FAILED});
}

static void on_probed(void *owner, ProbeFailure *bad) {
  Job *job = owner;
  Event *last = &job->work.last;
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
    act(job, flow_on_checked(&job->flow, false, clock_monotonic()));
  }
}

static void check_references(Job *job) {
  Checks *checks = engine_checks(job->work.engine);
  ProbeSpec spec = {.urls = job->references,
                    .count = job->reference_count,
                    .timer = &job->work.timer,
                    .deadline = job->flow.deadline,
                    .done = on_probed,
                    .owner = job};
  job->probe = probe_start(engine_loop(job->work.engine), checks,
                           job->work.account, &spec);
  if (job->probe)
    checks_advance(checks);
  else
    fail_check(job);
}

static void act(Job *job, FlowAction action) {
  switch (action.what) {
  case FLOW_DO_CHECK:
    check_references(job);
    break;
  case FLOW_DO_CREATE:
    job_gate_wait(job, GATE_CREATE);
    break;
  case FLOW_DO_POLL:
    job_gate_wait(job, GATE_POLL);
    break;
  case FLOW_DO_REST:
    heap_set(&engine_loop(job->work.engine)->heap, &job->work.timer, action.at);
    if (job->flow.state == FLOW_HELD)
      record_hold(job);
    if (action.retry)
      tell_retry(job, job->flow.state == FLOW_HELD ? clock_monotonic() + 1
                                                   : action.at);
    break;
  case FLOW_DO_END:
    end(job, action.end);
    break;
  case FLOW_DO_NOTHING:
    break;
  }
}

static void let_probe_go(Job *job) {
  Probe *probe = job->probe;
  job->probe = NULL;
  if (!probe)
    return;
  probe_explain(probe, &job->work.last.failure);
  probe_abort(probe);
}

static void begin(Job *job) {
  heap_clear(&engine_loop(job->work.engine)->heap, &job->work.timer);
  act(job, flow_start(&job->flow, clock_monotonic()));
}

static void on_turn(Turn *turn) {
  Job *job = (Job *)(void *)((char *)turn - offsetof(Job, turn));
  if (!job->checked) {
    begin(job);
    return;
  }
  heap_clear(&engine_loop(job->work.engine)->heap, &job->work.timer);
  set_checked(job, false);
  act(job, flow_on_checked(&job->flow, true, clock_monotonic()));
}

static void start(Work *work) {
  Job *job = (Job *)work;
  job->turn.turns = &work->account->turns;
  job->turn.begin = on_turn;
  if (job->has_listener)
    tell_bare(job, EVENT_QUEUED);
  if (job->flow.mode == FLOW_POLL_ONCE || job->flow.mode == FLOW_RESUME) {
    job->recorded = job->key && work->account->ledger;
    turn_take(&job->turn);
    begin(job);
    return;
  }
  if (!record_intent(job)) {
    act(job, (FlowAction){.what = FLOW_DO_END, .end = FLOW_END_FAILED});
    return;
  }
  job->recorded = work->account->ledger != NULL;
  if (job->flow.check) /* before it has a place: others need not wait for it */
    begin(job);
  else
    wait_for_turn(job);
}

static void on_timer(Work *work) {
  Job *job = (Job *)work;
  double now = clock_monotonic();
  if (job->parting)
    job_part(job, record_is_told(job));
  else if (job->probe && now < job->flow.deadline)
    probe_on_timer(job->probe, now);
  else if (gate_is_waiting(&job->gate))
    act(job, job_gate_overdue(job));
  else {
    let_probe_go(job);
    act(job, flow_on_timer(&job->flow, now));
  }
}

static void stop(Work *work) {
  Job *job = (Job *)work;
  record_torn(job);
  if (job->exchange)
    http_abort(engine_loop(work->engine), job->exchange);
  job->exchange = NULL;
  job_gate_leave(job);
  let_probe_go(job);
}

void job_go_on(Job *job) {
  act(job, flow_on_ready(&job->flow, clock_monotonic()));
}

void job_refuse(Job *job) {
  stop(&job->work);
  act(job, (FlowAction){.what = FLOW_DO_END, .end = FLOW_END_FAILED});
}

static void on_cancel(Work *work) {
  Job *job = (Job *)work;
  bool gone = job->exchange && job->exchange->sent_once;
  FlowAction action;
  if (job->parting) /* it has ended, and waits for its word */
    return;
  action = flow_on_cancel(&job->flow, gone);
  if (action.what == FLOW_DO_END)
    stop(work);
  else if (job->flow.cancelled)
    record_cancelled(job);
  act(job, action);
}

static void on_late_cancel(Work *work) {
  record_late_cancel((Job *)work);
}

static void free_job(Work *work) {
  Job *job = (Job *)work;
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
static bool records(const Work *work) {
  const Job *job = (const Job *)work;
  return job->entry && !job->again;
}

const WorkType job_type = {.start = start,
                           .on_timer = on_timer,
                           .on_cancel = on_cancel,
                           .on_late_cancel = on_late_cancel,
                           .stop = stop,
                           .free = free_job,
                           .records = records,
                           .may_batch = true};
