/*
 * How long jobs take: all the same, or spread around a median as a log-normal.
 * The same options give the same lengths, in the order of the jobs. Pure.
 */
#ifndef GPTIMAGE2_SANDBOX_SPREAD_H
#define GPTIMAGE2_SANDBOX_SPREAD_H

#include <stdint.h>

typedef struct Spread {
  double median; /* seconds */
  double sigma;  /* of the logarithm; 0 = all the same */
  uint64_t seed; /* state of the generator */
} Spread;

/* The length of the next job, in seconds. */
double spread_next(Spread *spread);

#endif
