/* How long jobs took: see durations.h. */
#include "durations.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* How many of the newest are held against those before them, and how many of
 * the latter there must be. */
#define NEWEST_LEAST 2
#define NEWEST_MOST 12
#define BEFORE_LEAST 8

/* The spread that is thought of at least: what repeats exactly is no reason to
 * take the next one for a change. */
#define SPREAD_LEAST 0.1

/* How many standard errors are no chance, of so many of the newest: rare long
 * jobs come in pairs at times. */
#define CHANGE(newest) (3.5 + 6.0 / (newest))

/* Each of the newest is as far from the mean, in spreads, on one side. */
#define ASIDE 0.5

static double mean_of(const float *logs, unsigned count) {
  double sum = 0;
  for (unsigned i = 0; i < count; i++)
    sum += (double)logs[i];
  return count ? sum / count : 0;
}

static double spread_of(const float *logs, unsigned count) {
  double mean = mean_of(logs, count), sum = 0;
  for (unsigned i = 0; i < count; i++)
    sum += ((double)logs[i] - mean) * ((double)logs[i] - mean);
  return count > 1 ? sqrt(sum / (count - 1)) : 0;
}

double durations_mean(const Durations *durations) {
  return mean_of(durations->logs, durations->count);
}

double durations_spread(const Durations *durations) {
  return spread_of(durations->logs, durations->count);
}

/* Whether each is further from `mean` than `margin`, on the side of it. */
static bool are_aside(const float *logs, unsigned count, double mean,
                      double margin) {
  for (unsigned i = 0; i < count; i++) {
    double away = (double)logs[i] - mean;
    if (margin > 0 ? away < margin : away > margin)
      return false;
  }
  return true;
}

/* Whether the newest `newest` are of another service than those before: each of
 * them is aside, and their mean further away than chance brings it. */
static bool is_change(const Durations *durations, unsigned newest) {
  unsigned before = durations->count - newest;
  const float *logs = durations->logs + before;
  double spread = spread_of(durations->logs, before);
  double mean = mean_of(durations->logs, before);
  double away = mean_of(logs, newest) - mean;
  if (spread < SPREAD_LEAST)
    spread = SPREAD_LEAST;
  return fabs(away) >
             CHANGE(newest) * spread * sqrt(1.0 / newest + 1.0 / before) &&
         are_aside(logs, newest, mean, copysign(ASIDE * spread, away));
}

static void drop_oldest(Durations *durations, unsigned count) {
  durations->count -= count;
  memmove(durations->logs, durations->logs + count,
          durations->count * sizeof *durations->logs);
}

static void forget(Durations *durations) {
  for (unsigned newest = NEWEST_LEAST;
       newest <= NEWEST_MOST && newest + BEFORE_LEAST <= durations->count;
       newest++)
    if (is_change(durations, newest)) {
      drop_oldest(durations, durations->count - newest);
      return;
    }
}

void durations_add(Durations *durations, double seconds) {
  if (!(seconds > 0 && seconds <= 1e9))
    return;
  if (durations->count == DURATIONS_MAX)
    drop_oldest(durations, 1);
  durations->logs[durations->count++] = (float)log(seconds);
  forget(durations);
}

static int compare(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

void durations_sort(const Durations *durations, float *sorted) {
  memcpy(sorted, durations->logs, durations->count * sizeof *sorted);
  qsort(sorted, durations->count, sizeof *sorted, compare);
}
