/*
 * How long the jobs of one class took, from the answer to their create to their
 * end: of those that began last, while the service stays as it is.  Where it
 * changes (all of the newest are much faster, or slower, than those before)
 * what was known before is set apart: it counts for no more than a guess, and
 * comes back where those since then say that it was no change.
 *
 * Of jobs that run side by side the short ones end first, and so they would
 * look like a change, or like all there are.  So those that are under way are
 * in it as well: each took longer than it has run.  Which ones are in it is
 * said when they begin, and so it has nothing to do with how long they take.
 * Pure; nothing is allocated.
 */
#ifndef GPTIMAGE2_ENGINE_DURATIONS_H
#define GPTIMAGE2_ENGINE_DURATIONS_H

#include <math.h>
#include <stdbool.h>

#define DURATIONS_MAX 128
#define DURATIONS_OPEN 64 /* of them are under way, at most */

#define DURATION_DAY 86400.0f /* seconds */

/* `high` of a job that is under way, and of one of which no more will be known:
 * it ended in some other way. */
#define DURATION_OPEN INFINITY
#define DURATION_LEFT DURATION_DAY

/* A job that began at `began`, on whatever clock, still ran `low` seconds later
 * (0 = nobody had looked), and had ended when `high` of them were over. */
typedef struct Duration {
  double began;
  float low, high;
} Duration;

typedef struct Durations {
  unsigned count;               /* at most DURATIONS_MAX */
  unsigned since;               /* before that one the service changed */
  Duration ones[DURATIONS_MAX]; /* in the order of beginning */
} Durations;

/* Whether it is known when it ended. */
static inline bool duration_ended(const Duration *one) {
  return one->high < DURATION_DAY;
}

/* Whether it is under way. */
static inline bool duration_runs(const Duration *one) {
  return isinf(one->high);
}

/* How many of them have ended, since the service changed. */
unsigned durations_ended(const Durations *durations);

/* Adds one that has ended, or begins; in the place of the oldest.  One that
 * begins is left out where enough are under way, and so is what is no time
 * between 0 and a day. */
void durations_add(Durations *durations, Duration one);

/* More is known of the one under way that began then; of one that was left out
 * nothing is. */
void durations_update(Durations *durations, Duration one);

/* Sets apart what was before a change of the service, if there was one, and
 * forgets what was apart by then; or takes it back, where there was none. */
void durations_part(Durations *durations);

/* The seconds of the longest that has ended since, in the middle of its looks;
 * 0 without any. */
double durations_longest(const Durations *durations);

#endif
