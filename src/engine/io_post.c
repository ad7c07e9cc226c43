/*
 * What work tells the host, and when a host that sleeps is woken for it: see
 * op.h.  On the I/O thread.
 */
#include "engine/base/clock.h"
#include "io_gate.h"

#include <math.h>

/* Seconds between two wake-ups of a host that sleeps: one after the other they
 * would cost as much as all the rest of an exchange. */
#define WAKE_PAUSE 0.001

/* Jobs take long.  Where there are many, a wake-up waits for the news of more
 * of them: so many seconds for each, and at most as long as a frame lasts. */
#define WAKE_PAUSE_EACH 0.00025
#define WAKE_PAUSE_MAX 0.016

/* Seconds that news may wait for more when the host only learns them if it asks
 * (it has no on_event). */
#define IDLE_PAUSE 0.05

Event *op_event(Engine *engine, EventKind kind) {
  Event *event = event_new(&engine->count);
  if (!event)
    return NULL;
  event->kind = kind;
  event->delay = -1;
  return event;
}

static void stamp(Op *op, Event *event) {
  event->op = op;
  event->owner = op->owner;
  event->time = clock_wall();
}

/* Posts an event that the host must see by `at` (monotonic seconds). */
static void post(Op *op, Event *event, double at) {
  Engine *engine = op->engine;
  if (at < engine->wake_at)
    engine->wake_at = at;
  stamp(op, event);
  list_append(&engine->outbox, &event->link);
}

static double wake_pause(const Op *op) {
  double pause = WAKE_PAUSE_EACH * (double)op->engine->work_count;
  if (!op->type->may_batch || pause < WAKE_PAUSE)
    return WAKE_PAUSE;
  return fmin(pause, WAKE_PAUSE_MAX);
}

void op_post(Op *op, Event *event) {
  post(op, event, op->engine->woken_at + wake_pause(op));
}

void op_post_idly(Op *op, Event *event) {
  post(op, event, clock_monotonic() + IDLE_PAUSE);
}

/* The list has an empty event for it, so that the order of things stays. */
void op_post_newest(Op *op, Event *event, bool idly) {
  Event *before;
  Event *sign;
  stamp(op, event);
  before = atomic_exchange_explicit(&op->newest, event, memory_order_acq_rel);
  if (before) { /* of which the host has not heard */
    event_free(&op->engine->count, before);
    return;
  }
  sign = op_event(op->engine, event->kind);
  if (!sign) { /* the host would never look: it is left out */
    event = atomic_exchange(&op->newest, NULL);
    event_free(&op->engine->count, event);
    return;
  }
  if (idly)
    op_post_idly(op, sign);
  else
    op_post(op, sign);
}

void op_end(Op *op) {
  if (op->account && !op->ended) {
    op->account->unended--;
    io_gate_quit(op->engine, op->account);
    op_touch_ledger(op);
  }
  op->ended = true;
  heap_clear(&op->engine->loop.heap, &op->timer);
  op->last.kind = EVENT_ENDED;
  op->last.embedded = true;
  op_post(op, &op->last);
}
