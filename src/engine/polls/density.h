/*
 * How likely each length is that a job may have, where of those before it is
 * known only between which two looks each has ended.
 *
 * Each of them is spread over its time between the looks, as the others make
 * likely; then all are blurred a little, as far as their number asks for; and
 * so again, until it changes little (expectation and maximisation, smoothed).
 * So the looks that were close tell where in the wide ones the end was, and
 * what no look ever told apart stays wide.  A guess with the weight of half a
 * job is in it, for what has not been seen yet: a wide log-normal, and what was
 * seen before the service changed.  Pure; nothing is allocated.
 */
#ifndef GPTIMAGE2_ENGINE_DENSITY_H
#define GPTIMAGE2_ENGINE_DENSITY_H

#include "durations.h"

/* The grid: even in the logarithm, from a twentieth of a second to half an
 * hour. */
#define DENSITY_CELLS 350

typedef struct Density {
  double below[DENSITY_CELLS + 1]; /* the share that ends before that edge */
  double known; /* seconds: as far as what was seen reaches; the rest is a guess
                 */
} Density;

/* At least one duration must be known. */
void density_fill(Density *density, const Durations *durations);

/* The share that ends within so many seconds. */
double density_below(const Density *density, double seconds);

/* The seconds within which that share ends; those of the grid's end where it
 * does not. */
double density_time(const Density *density, double share);

#endif
