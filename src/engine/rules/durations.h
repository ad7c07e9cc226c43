/*
 * How long the jobs of one class took, from the answer to their create to their
 * end: the newest of them, while the service stays as it is.  Where it changes
 * (all of the newest are much faster, or slower, than those before) what was
 * known before is forgotten.  Pure; nothing is allocated.
 */
#ifndef GPTIMAGE2_ENGINE_DURATIONS_H
#define GPTIMAGE2_ENGINE_DURATIONS_H

#define DURATIONS_MAX 128

typedef struct Durations {
  unsigned count;            /* at most DURATIONS_MAX */
  float logs[DURATIONS_MAX]; /* of seconds, the oldest first */
} Durations;

/* What is no number of seconds above 0 is left out. */
void durations_add(Durations *durations, double seconds);

/* The mean of the logarithms, and how far they are spread.  0 without any. */
double durations_mean(const Durations *durations);
double durations_spread(const Durations *durations);

/* The logarithms in order, into `sorted`, which has room for all. */
void durations_sort(const Durations *durations, float *sorted);

#endif
