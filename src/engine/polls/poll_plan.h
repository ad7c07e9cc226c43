/*
 * When to poll a job of which it is known how long its like took.
 *
 * The plan makes the expected wait after the job is done least for at most as
 * many polls as a loop that polls every 2.5 s would need by the same knowledge
 * (or a share of them), and a few hundredths of one: a little of that goes into
 * an earlier first poll; where one poll is all that the loop needs, hardly any.
 * It is found by dynamic programming over a grid of times, at a price for
 * a poll that is found by bisection.
 *
 * Guards: the first poll comes within 10 s, each other 0.5 to 5 s after the one
 * before it; past one and a half times the longest known duration, every 5 s.
 *
 * Times are seconds after the answer to the create.  All of these numbers are
 * in a unit of 1 s; tests take a shorter one.  Pure; nothing is allocated.
 */
#ifndef GPTIMAGE2_ENGINE_POLL_PLAN_H
#define GPTIMAGE2_ENGINE_POLL_PLAN_H

#include "survival.h"

#define POLL_PLAN_MAX 64
#define POLL_PLAN_JITTER 0.1 /* of a gap */

typedef struct PollPlan {
  unsigned count;             /* 0 = nothing is known: it gives no advice */
  float times[POLL_PLAN_MAX]; /* where the longest gap would be too long */
  float after;                /* the gap after the last of them, until */
  float end;                  /* then; and from then on the longest one */
  float rate;                 /* what the last search found: see below */
  float loop;                 /* the interval of the loop with as many polls */
} PollPlan;

/* Fills the plan.  `share`: of the polls of that loop, above 0 and at most 1.
 * What the plan holds of an earlier search makes this one shorter. */
void poll_plan_make(PollPlan *plan, const Survival *survival, double share);

/* Seconds until the next poll of a job of this age.  `random` is in [0, 1). */
double poll_plan_pause(const PollPlan *plan, double age, double random);

/* The same of one that was polled so often.  One that was polled more often
 * than the plan would have it, since it began without one or with another one,
 * goes on as the loop until that is made up for.  A few whose first poll comes
 * late are looked at sooner: else nobody would see that the service has become
 * faster. */
double poll_plan_next(const PollPlan *plan, double age, unsigned polls,
                      double random);

#endif
