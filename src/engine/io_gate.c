/* The engine and its gate: see io_gate.h. */
#include "io_gate.h"

#include "engine/base/clock.h"

#include <math.h>

/* Seconds for which a host that submitted or took news counts as at work, and
 * between two looks at how far it is. */
#define HOST_BUSY 0.25
#define HOST_LOOK 0.002

bool io_gate_enter(Engine *engine, Account *account) {
  if (!account || account->origin)
    return true;
  account->origin =
      gate_enter(&engine->gate, service_origin_name(&account->service),
                 account->service.secure, account->settings.max_connections);
  return account->origin != NULL;
}

void io_gate_quit(Engine *engine, Account *account) {
  if (!account->dropped || account->unended > 0 || !account->origin)
    return;
  gate_quit(&engine->gate, account->origin, account->settings.max_connections);
  account->origin = NULL;
}

/* What the host has not taken yet takes memory: a thousand jobs that are made
 * while it submits the next thousand wait for it all at once.  One that is at
 * work, and far behind, gets a moment before more are made; one that does
 * something else does not. */
static void spare_host(Engine *engine, double now) {
  unsigned back =
      atomic_load_explicit(&engine->count.freed, memory_order_relaxed);
  if (back != engine->events_back || !isinf(engine->attends_until))
    engine->busy_until = now + HOST_BUSY;
  engine->events_back = back;
  engine->gate.spares_host =
      now < engine->busy_until && event_count_is_high(&engine->count);
  if (engine->gate.spares_host && !isinf(engine->wake_at))
    engine->wake_at = now; /* what could wait for more waits no longer */
}

void io_gate_look(Engine *engine, double now) {
  spare_host(engine, now);
  engine->loop.places = gate_places(&engine->gate);
}

double io_gate_at(const Engine *engine) {
  double at = gate_at(&engine->gate);
  return engine->gate.spares_host ? fmin(at, clock_monotonic() + HOST_LOOK)
                                  : at;
}
