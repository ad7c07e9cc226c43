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

/* A job that began at `began`, on whatever clock, still ran `low` seconds later
 * (0 = nobody had looked), and had ended when `high` of them were over. */
typedef struct Duration {
  double began;
  float low, high;
} Duration;

typedef struct Durations {
  unsigned count;               /* at most DURATIONS_MAX */
  unsigned alone;               /* of the newest: nothing ran beside them */
  unsigned turn;                /* for what is left to chance */
  unsigned crowd;               /* of a burst: how many have ended */
  double ended;                 /* the last end of any */
  Duration ones[DURATIONS_MAX]; /* in the order of beginning */
} Durations;

/* How many of them, the oldest, tell how long the next ones take: where jobs
 * run side by side, those that began so long ago that of their like the long
 * ones have ended, too. */
unsigned durations_ripe(const Durations *durations, double now);

/* Leaves out what is no time between 0 and a day. */
void durations_add(Durations *durations, Duration one);

/* The seconds of the longest one, in the middle of its looks; 0 without any. */
double durations_longest(const Durations *durations);

#endif
