/*
 * How long a job took, as looks at it tell.
 */
#ifndef GPTIMAGE2_C_LOOKS_H
#define GPTIMAGE2_C_LOOKS_H

#include "engine/polls/durations.h"

/* Looked at often. */
static inline Duration seen_as(double began, double seconds) {
  return (Duration){began, (float)(0.999 * seconds), (float)(1.001 * seconds)};
}

/* How many are known of the service as it is since it changed. */
static inline unsigned count_since(const Durations *durations) {
  return durations->count - durations->since;
}

static inline double middle_of(const Duration *one) {
  return ((double)one->low + (double)one->high) / 2;
}

#endif
