/* Random walks in front of the gate: its places are counted right and used, and
 * nobody is starved. */
#include "fake_jobs.h"

#include <math.h>

#define ORIGINS 3
#define STEPS 200000

typedef struct Walk {
  uint64_t seed;
  double now;
  GateOrigin *origins[ORIGINS];
  double until[JOBS]; /* when its exchange ends; the first origin is slow */
  double waited[GATE_KINDS];
} Walk;

static Walk walk;

static unsigned origin_of(const GateLink *link) {
  unsigned i = 0;
  while (walk.origins[i] != link->origin)
    i++;
  return i;
}

static void see_begin(GateLink *link, double now) {
  unsigned index = (unsigned)((FakeJob *)link - jobs);
  unsigned limit = gate.limit.current;
  unsigned creates = 0, places = 0;
  bool slow = origin_of(link) == 0;
  for (unsigned i = 0; i < ORIGINS; i++) {
    creates += walk.origins[i]->inside[GATE_CREATE];
    places += walk.origins[i]->places;
  }
  check(places == gate.used, "the places are counted wrong");
  check(!link->fresh || places <= limit, "%u places of %u", places, limit);
  check(!link->fresh || link->origin->places <= limit * 3 / 4,
        "one origin has %u places of %u", link->origin->places, limit);
  check(link->kind != GATE_CREATE || creates <= limit * 3 / 4 ||
            link->origin->inside[GATE_CREATE] == 1,
        "%u creates of %u", creates, limit);
  walk.waited[link->kind] = fmax(walk.waited[link->kind], now - link->due);
  walk.until[index] = now + random_unit(&walk.seed) * (slow ? 60 : 0.4);
}

/* Nobody waits for whom there is a place: what gate_next says of one that waits
 * alone. */
static void see_rest(void) {
  for (unsigned i = 0; i < ORIGINS; i++)
    for (unsigned kind = 0; kind < GATE_KINDS; kind++)
      check(walk.now < gate.closed_until ||
                gate.used >= gate.limit.current * 3 / 4 ||
                !walk.origins[i]->waiting[kind].first ||
                walk.origins[i]->places >= gate.limit.current * 3 / 4 ||
                walk.origins[i]->inside[GATE_CREATE] >= GATE_CREATES_HTTP2,
            "a place is free, and nobody has it");
}

static void end_some(void) {
  for (unsigned i = 0; i < JOBS; i++) {
    GateLink *link = &jobs[i].link;
    if (link->inside && link->origin && walk.until[i] <= walk.now) {
      unsigned origin = origin_of(link);
      if (random_below(&walk.seed, 500) == 0 && origin > 0)
        gate_note_refused(&gate, link, walk.now);
      if (random_below(&walk.seed, 5000) == 0)
        gate_note_shortage(&gate, NULL, walk.now, 0.5);
      else
        gate_note_answer(&gate, link, origin == 2, walk.now);
      gate_leave(&gate, link);
    }
  }
}

static void join_some(void) {
  unsigned i = random_below(&walk.seed, JOBS);
  unsigned which = i % 4 == 3 ? 1 : i % 4; /* a quarter wants the slow one */
  if (!jobs[i].link.origin)
    gate_join(&jobs[i].link, walk.origins[which],
              random_below(&walk.seed, 3) ? GATE_CREATE : GATE_POLL, walk.now);
  else if (random_below(&walk.seed, 50) == 0)
    gate_leave(&gate, &jobs[i].link); /* cancelled */
}

static void nobody_is_starved_in_long_walks(void **state) {
  (void)state;
  reset(false, 16);
  gate.begin = see_begin;
  walk = (Walk){.seed = 42, .origins = {gate.origins}};
  walk.origins[1] = enter(2, true, 12);
  walk.origins[2] = enter(3, true, 9);
  for (unsigned step = 0; step < STEPS; step++) {
    walk.now += random_unit(&walk.seed) * 0.02;
    end_some();
    join_some();
    gate_advance(&gate, walk.now);
    see_rest();
  }
  for (unsigned i = 0; i < JOBS; i++) { /* those of the slow one may wait */
    const GateLink *link = &jobs[i].link;
    check(!gate_is_waiting(link) || link->origin == walk.origins[0] ||
              walk.now - link->due < 30,
          "job %u waits for ever", i);
    leave(i);
  }
  assert_int_equal(gate.used, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nobody_is_starved_in_long_walks),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  gate_free(&gate);
  return failed;
}
