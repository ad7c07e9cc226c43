/*
 * When the next job will end, as far as the durations of those before it tell:
 * the chance that it still runs, at each time of a grid.
 *
 * All times are seconds after the answer to the create, in the unit of the
 * settings (see poll_plan.h).  Pure; nothing is allocated.
 */
#ifndef GPTIMAGE2_ENGINE_SURVIVAL_H
#define GPTIMAGE2_ENGINE_SURVIVAL_H

#include "density.h"

/* The grid: 0.25 s apart at first, and further where that makes no
 * difference. */
#define SURVIVAL_CELLS 760

typedef struct Survival {
  double at[SURVIVAL_CELLS + 1];   /* times; the first is 0 */
  double runs[SURVIVAL_CELLS + 1]; /* the chance that it still runs then */
  double area[SURVIVAL_CELLS + 1]; /* under that, from 0 to there */
  double longest;                  /* of the known ones */
  Density density;                 /* the same, closer where times are short */
} Survival;

/* At least one duration must be known. */
void survival_fill(Survival *survival, const Durations *durations);

/* How many polls a loop with this interval needs. */
double survival_loop_polls(const Survival *survival, double interval);

/* The time at which the chance has fallen to `chance`; the end of the grid
 * where it does not. */
double survival_time(const Survival *survival, double chance);

#endif
