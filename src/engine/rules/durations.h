/*
 * How long the jobs of one class took, from the answer to their create to their
 * end: of those that began last, while the service stays as it is.  Where it
 * changes (all of the newest are much faster, or slower, than those before)
 * what was known before is forgotten.
 *
 * Of jobs that run side by side the short ones end first, and so they would
 * look like a change, or like all there are: a change is seen only in jobs that
 * each began when the one before had ended, and what is known of others counts
 * once the long ones have had their time (durations_ripe).
 * Pure; nothing is allocated.
 */
#ifndef GPTIMAGE2_ENGINE_DURATIONS_H
#define GPTIMAGE2_ENGINE_DURATIONS_H

#define DURATIONS_MAX 128

typedef struct Durations {
  unsigned count;              /* at most DURATIONS_MAX */
  unsigned alone;              /* of the newest: nothing ran beside them */
  unsigned turn;               /* for what is left to chance */
  unsigned crowd;              /* of a burst: how many have ended */
  double ended;                /* the last end of any */
  float logs[DURATIONS_MAX];   /* of seconds, in the order of beginning */
  double began[DURATIONS_MAX]; /* on whatever clock */
} Durations;

/* How many of them, the oldest, tell how long the next ones take: where jobs
 * run side by side, those that began so long ago that of their like the long
 * ones have ended, too. */
unsigned durations_ripe(const Durations *durations, double now);

/* A job that began then.  What is no number of seconds above 0 is left out. */
void durations_add(Durations *durations, double began, double seconds);

/* The mean of the logarithms, and how far they are spread.  0 without any. */
double durations_mean(const Durations *durations);
double durations_spread(const Durations *durations);

/* The logarithms in order, into `sorted`, which has room for all. */
void durations_sort(const Durations *durations, float *sorted);

#endif
