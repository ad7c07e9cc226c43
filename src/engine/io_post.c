/*
 * What work tells the host, and when a host that sleeps is woken for it: see
 * work.h.  On the I/O thread.
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

Event *work_event(Engine *engine, EventKind kind) {
  Event *event = event_pool_take(&engine->pool);
  if (!event)
    return NULL;
  event->kind = kind;
  event->delay = -1;
  return event;
}

static void stamp(Work *work, Event *event) {
  event->work = work;
  event->owner = work->owner;
  event->time = clock_wall();
}

/* Posts an event that the host must see by `at` (monotonic seconds). */
static void post(Work *work, Event *event, double at) {
  Engine *engine = work->engine;
  if (at < engine->wake_at)
    engine->wake_at = at;
  stamp(work, event);
  list_append(&engine->outbox, &event->link);
}

static double wake_pause(const Work *work) {
  double pause = WAKE_PAUSE_EACH * (double)work->engine->work_count;
  if (!work->type->may_batch || pause < WAKE_PAUSE)
    return WAKE_PAUSE;
  return fmin(pause, WAKE_PAUSE_MAX);
}

void work_post(Work *work, Event *event) {
  post(work, event, work->engine->woken_at + wake_pause(work));
}

void work_post_idly(Work *work, Event *event) {
  post(work, event, clock_monotonic() + IDLE_PAUSE);
}

/* The list has an empty event for it, so that the order of things stays. */
void work_post_newest(Work *work, Event *event, bool idly) {
  Event *before;
  Event *sign;
  stamp(work, event);
  before = atomic_exchange_explicit(&work->newest, event, memory_order_acq_rel);
  if (before) { /* of which the host has not heard */
    event_pool_drop(&work->engine->pool, before);
    return;
  }
  sign = work_event(work->engine, event->kind);
  if (!sign) { /* the host would never look: it is left out */
    event = atomic_exchange(&work->newest, NULL);
    event_pool_drop(&work->engine->pool, event);
    return;
  }
  if (idly)
    work_post_idly(work, sign);
  else
    work_post(work, sign);
}

void work_end(Work *work) {
  if (work->account && !work->ended) {
    work->account->unended--;
    io_gate_quit(work->engine, work->account);
    work_touch_ledger(work);
  }
  work->ended = true;
  heap_clear(&work->engine->loop.heap, &work->timer);
  work->last.kind = EVENT_ENDED;
  work->last.embedded = true;
  work_post(work, &work->last);
}
