/*
 * Looking at reference images before money is spent: each URL must answer a
 * small ranged GET with an image, from a public address.  I/O thread only.
 *
 * Looks have places of their own, for all jobs of an engine together, and no
 * host has more than half of them: one that accepts connections and says
 * nothing holds up neither jobs without references nor the checks of others.
 */
#ifndef GPTIMAGE2_ENGINE_PROBE_H
#define GPTIMAGE2_ENGINE_PROBE_H

#include "engine/core/account.h"
#include "engine/http/http.h"

#include <stdbool.h>

#define CHECKS_MAX 8 /* checks at once */

typedef struct ReferenceCheck ReferenceCheck;

/* The checks of an engine: those that have a place, and those that wait. */
typedef struct Checks {
  ReferenceCheck *running[CHECKS_MAX]; /* NULL = free */
  Queue waiting;                       /* checks, in order */
  bool dispatching;                    /* inside checks_advance */
} Checks;

/* What is known of a reference that is not usable. */
typedef struct ProbeFailure {
  Failure failure;    /* kind "validation", or no memory */
  unsigned index;     /* which URL, from 0 */
  int status;         /* HTTP, 0 = no answer */
  double retry_after; /* seconds, negative = the host did not ask for it */
  bool temporary;     /* asking again, later, may go well */
} ProbeFailure;

/* `bad` is NULL when all URLs are usable; else its failure belongs to the
 * callee.  The probe is gone when this is called. */
typedef void (*ProbeDone)(void *owner, ProbeFailure *bad);

typedef struct ProbeSpec {
  char *const *urls; /* must live until it is over */
  unsigned count;
  Timer *timer;    /* the owner's; calls probe_on_timer when it is due */
  double deadline; /* what the timer is set to while nothing waits for it */
  ProbeDone done;
  void *owner;
} ProbeSpec;

typedef struct Probe Probe;

/* Lets the checks of all URLs wait for their places; checks_advance begins
 * them. NULL when memory runs out; otherwise `done` is called once, later,
 * unless the probe is aborted. */
Probe *probe_start(Loop *loop, Checks *checks, Account *account,
                   const ProbeSpec *spec);

void probe_on_timer(Probe *probe, double now);

/* Of one that is given up: what this machine lacked for it, if anything. */
void probe_explain(const Probe *probe, Failure *failure);

void probe_abort(Probe *probe);

/* Begins those in front for which there is a place.  Also to be called when an
 * account wants checks again: see account.h, `checked`. */
void checks_advance(Checks *checks);

#endif
