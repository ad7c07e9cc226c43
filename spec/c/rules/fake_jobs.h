/*
 * A gate, and jobs in front of it that only note that they began.
 */
#ifndef GPTIMAGE2_C_FAKE_JOBS_H
#define GPTIMAGE2_C_FAKE_JOBS_H

#include "check.h"

#include "engine/rules/gate.h"

#include <string.h>

#define JOBS 64

typedef struct FakeJob {
  GateLink link; /* first */
  unsigned began;
} FakeJob;

static Gate gate;
static FakeJob jobs[JOBS];
static char order[4 * JOBS + 1]; /* the jobs that began, as characters */

static inline char name_of(unsigned index) {
  return (char)('0' + index);
}

static inline void begin(GateLink *link, double now) {
  FakeJob *job = (FakeJob *)link;
  check(link->inside, "it has no place");
  check(now >= 0, "no time");
  job->began++;
  if (strlen(order) < sizeof order - 1)
    order[strlen(order)] = name_of((unsigned)(job - jobs));
}

/* An origin with one client that asks for `places`. */
static inline GateOrigin *enter(uint64_t name, bool secure, unsigned places) {
  GateOrigin *origin = gate_enter(&gate, name, secure, places);
  assert_non_null(origin);
  return origin;
}

static inline GateOrigin *reset(bool secure, unsigned places) {
  gate_free(&gate);
  gate_init(&gate, begin);
  memset(jobs, 0, sizeof jobs);
  memset(order, 0, sizeof order);
  return enter(1, secure, places);
}

static inline void join(unsigned first, unsigned count, GateOrigin *origin,
                        GateKind kind, double due) {
  for (unsigned i = first; i < first + count; i++)
    gate_join(&jobs[i].link, origin, kind, due);
}

static inline void leave(unsigned index) {
  gate_leave(&gate, &jobs[index].link);
}

static inline void answer(unsigned index, bool http2, double now) {
  gate_note_answer(&gate, &jobs[index].link, http2, now);
  leave(index);
}

/* The jobs that begin now. */
static inline const char *advance(double now) {
  memset(order, 0, sizeof order);
  gate_advance(&gate, now);
  return order;
}

#endif
