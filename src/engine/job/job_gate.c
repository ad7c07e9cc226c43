/* A job and the gate in front of libcurl: see job_gate.h. */
#include "job_gate.h"

#include "engine/base/clock.h"
#include "engine/base/shortage.h"
#include "job_record.h"
#include "job_tell.h"

#include <math.h>
#include <stddef.h>

static Gate *gate_of(const Job *job) {
  return engine_gate(job->op.engine);
}

static void wait(Job *job, GateKind kind, double due) {
  Heap *heap = &engine_loop(job->op.engine)->heap;
  if (isinf(job->state.deadline))
    heap_clear(heap, &job->op.timer);
  else
    heap_set(heap, &job->op.timer, job->state.deadline);
  gate_join(&job->gate, job->op.account->origin, kind, due);
}

void job_gate_wait(Job *job, GateKind kind) {
  wait(job, kind, clock_monotonic());
}

void job_gate_begin(GateLink *link, double now) {
  Job *job = (Job *)(void *)((char *)link - offsetof(Job, gate));
  (void)now;
  heap_clear(&engine_loop(job->op.engine)->heap, &job->op.timer);
  job_send(job);
}

void job_gate_leave(Job *job) {
  if (gate_is_waiting(&job->gate))
    job_state_not_begun(&job->state, job->gate.kind == GATE_CREATE);
  gate_leave(gate_of(job), &job->gate);
}

/* It may have met nothing itself, and waited behind others that did. */
static void explain_shortage(Job *job) {
  const char *lacking = gate_lacking(gate_of(job));
  Failure *last = &job->op.last.failure;
  if (lacking && !last->kind)
    failure_set(last, "network", "connect_failed", "%s", lacking);
}

JobAction job_gate_overdue(Job *job) {
  explain_shortage(job);
  gate_leave(gate_of(job), &job->gate);
  return job_state_on_overdue(&job->state);
}

/* Since when it waits stays as it was, or a hair before: it goes before all
 * others then. */
static void wait_again(Job *job, const char *lacking, double now) {
  GateLink was = job->gate;
  gate_note_shortage(gate_of(job), lacking, now, engine_random(job->op.engine));
  gate_leave(gate_of(job), &job->gate);
  wait(job, was.kind, nextafter(was.due, 0));
}

/* What the exchange tells of the way to the service. */
static void note(const Job *job, const Exchange *exchange, double now) {
  const Account *account = job->op.account;
  const GateLink *link = &job->gate;
  bool http2 = account->service.secure && !account->service.http1;
  if (exchange->reply.kind == OUTCOME_ANSWERED)
    gate_note_answer(gate_of(job), link, http2, now);
  if (http2 && link->kind == GATE_POLL &&
      (exchange->again || (!link->fresh && http_took_connection(exchange))))
    gate_note_refused(gate_of(job), link, now);
}

static bool may_wait_again(const Job *job, double now) {
  return now < job->state.deadline && !job->state.cancelled;
}

bool job_gate_over(Job *job, Exchange *exchange, double now) {
  note(job, exchange, now);
  if (!exchange->shortage || !may_wait_again(job, now)) {
    gate_leave(gate_of(job), &job->gate);
    return false;
  }
  job->exchange = NULL;
  if (job->state.phase == PHASE_CREATING) /* the ledger says so */
    record_not_sent(job);
  tell_forget_failure(job);
  tell_keep_failure(job, exchange);
  wait_again(job, exchange->shortage, now);
  http_release(exchange);
  return true;
}

bool job_gate_not_begun(Job *job, double now) {
  if (shortage_explains(&job->op.last.failure) && may_wait_again(job, now)) {
    wait_again(job, shortage_probe(), now);
    return true;
  }
  gate_leave(gate_of(job), &job->gate);
  return false;
}
