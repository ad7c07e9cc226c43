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

static void take_out(Durations *durations, unsigned at, unsigned count) {
  unsigned rest = (durations->count -= count) - at;
  memmove(durations->logs + at, durations->logs + at + count,
          rest * sizeof *durations->logs);
  memmove(durations->began + at, durations->began + at + count,
          rest * sizeof *durations->began);
}

static void forget(Durations *durations) {
  for (unsigned newest = NEWEST_LEAST;
       newest <= NEWEST_MOST && newest <= durations->alone &&
       newest + BEFORE_LEAST <= durations->count;
       newest++)
    if (is_change(durations, newest)) {
      take_out(durations, 0, durations->count - newest);
      return;
    }
}

/* Of the longest known one. */
#define RIPE 0.9

unsigned durations_ripe(const Durations *durations, double now) {
  float longest = 0;
  unsigned count = durations->count;
  if (durations->alone > 0 || count == 0)
    return count;
  longest = durations->logs[0];
  for (unsigned i = 1; i < count; i++)
    if (durations->logs[i] > longest)
      longest = durations->logs[i];
  while (count > 0 &&
         durations->began[count - 1] > now - RIPE * exp((double)longest))
    count--;
  return count;
}

static unsigned any_below(Durations *durations, unsigned limit) {
  durations->turn = durations->turn * 1664525u + 1013904223u;
  return (durations->turn >> 8) % limit;
}

/* Takes one away.  Of a burst that is larger than what is kept, each has the
 * same chance to be: those that end later are to be found in it as well.  False
 * when it is the new one that has to go. */
static bool make_room(Durations *durations, double now) {
  unsigned ripe = durations_ripe(durations, now);
  unsigned crowd = durations->count - ripe, turn;
  if (ripe > DURATIONS_MAX / 2) {
    durations->crowd = 0;
    take_out(durations, 0, 1);
    return true;
  }
  if (durations->crowd < crowd)
    durations->crowd = crowd;
  turn = any_below(durations, ++durations->crowd);
  if (turn >= crowd)
    return false;
  take_out(durations, ripe + turn, 1);
  return true;
}

/* Behind all that began before it. */
static void insert(Durations *durations, double began, float length) {
  unsigned at = durations->count++;
  for (; at > 0 && durations->began[at - 1] > began; at--) {
    durations->logs[at] = durations->logs[at - 1];
    durations->began[at] = durations->began[at - 1];
  }
  durations->logs[at] = length;
  durations->began[at] = began;
}

static void note_end(Durations *durations, double began, double ended) {
  bool first = durations->count == 0;
  durations->alone =
      first || began >= durations->ended ? durations->alone + 1 : 0;
  if (first || ended > durations->ended)
    durations->ended = ended;
}

void durations_add(Durations *durations, double began, double seconds) {
  if (!(seconds > 0 && seconds <= 1e9))
    return;
  note_end(durations, began, began + seconds);
  if (durations->count == DURATIONS_MAX &&
      !make_room(durations, began + seconds))
    return;
  insert(durations, began, (float)log(seconds));
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
