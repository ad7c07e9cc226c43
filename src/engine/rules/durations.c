/* How long jobs took: see durations.h. */
#include "durations.h"

#include <math.h>
#include <stdbool.h>
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
 * jobs come in pairs at times, short ones hardly. */
#define SLOWER(newest) (3.5 + 6.0 / (newest))
#define FASTER(newest) (3.0 + 0.5 / (newest))

/* Each of the newest is as far from the mean, in spreads, on one side. */
#define ASIDE 0.5

static double middle_of(const Duration *one) {
  return ((double)one->low + (double)one->high) / 2;
}

static double mean_of(const Duration *ones, unsigned count) {
  double sum = 0;
  for (unsigned i = 0; i < count; i++)
    sum += log(middle_of(&ones[i]));
  return count ? sum / count : 0;
}

/* What no look told apart may have been spread as well: evenly, at most over
 * all that is below a time. */
static double unseen_of(const Duration *one) {
  double width = one->low > 0 ? log((double)(one->high / one->low)) : INFINITY;
  return fmin(1, width * width / 12);
}

static double spread_of(const Duration *ones, unsigned count, double mean) {
  double sum = 0;
  for (unsigned i = 0; i < count; i++) {
    double away = log(middle_of(&ones[i])) - mean;
    sum += away * away + unseen_of(&ones[i]);
  }
  return count > 1 ? sqrt(sum / (count - 1)) : 0;
}

/* How far from `mean` it was at least: 0 where it may have been as long. */
static double away_from(const Duration *one, double mean) {
  double most = log((double)one->high) - mean;
  double least = one->low > 0 ? log((double)one->low) - mean : -INFINITY;
  if (least > 0)
    return least;
  return most < 0 ? most : 0;
}

static double mean_away(const Duration *ones, unsigned count, double mean) {
  double sum = 0;
  for (unsigned i = 0; i < count; i++)
    sum += away_from(&ones[i], mean);
  return sum / count;
}

/* Whether each is further from `mean` than `margin`, on the side of it. */
static bool are_aside(const Duration *ones, unsigned count, double mean,
                      double margin) {
  for (unsigned i = 0; i < count; i++) {
    double away = away_from(&ones[i], mean);
    if (margin > 0 ? away < margin : away > margin)
      return false;
  }
  return true;
}

/* Whether the newest `newest` are of another service than those before: each of
 * them is aside, and their mean further away than chance brings it. */
static bool is_change(const Durations *durations, unsigned newest) {
  unsigned before = durations->count - newest;
  const Duration *ones = durations->ones + before;
  double mean = mean_of(durations->ones, before);
  double spread = fmax(SPREAD_LEAST, spread_of(durations->ones, before, mean));
  double away = mean_away(ones, newest, mean);
  double chance = spread * sqrt(1.0 / newest + 1.0 / before) *
                  (away > 0 ? SLOWER(newest) : FASTER(newest));
  return fabs(away) > chance &&
         are_aside(ones, newest, mean, copysign(ASIDE * spread, away));
}

static void take_out(Durations *durations, unsigned at, unsigned count) {
  unsigned rest = (durations->count -= count) - at;
  memmove(durations->ones + at, durations->ones + at + count,
          rest * sizeof *durations->ones);
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

double durations_longest(const Durations *durations) {
  double longest = 0;
  for (unsigned i = 0; i < durations->count; i++)
    longest = fmax(longest, middle_of(&durations->ones[i]));
  return longest;
}

unsigned durations_ripe(const Durations *durations, double now) {
  unsigned count = durations->count;
  double ripe;
  if (durations->alone > 0 || count == 0)
    return count;
  ripe = now - RIPE * durations_longest(durations);
  while (count > 0 && durations->ones[count - 1].began > ripe)
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
static void insert(Durations *durations, Duration one) {
  unsigned at = durations->count++;
  for (; at > 0 && durations->ones[at - 1].began > one.began; at--)
    durations->ones[at] = durations->ones[at - 1];
  durations->ones[at] = one;
}

static void note_end(Durations *durations, double began, double ended) {
  bool first = durations->count == 0;
  durations->alone =
      first || began >= durations->ended ? durations->alone + 1 : 0;
  if (first || ended > durations->ended)
    durations->ended = ended;
}

#define DAY 86400.0f /* seconds */

static bool is_sound(const Duration *one) {
  return isfinite(one->began) && one->low >= 0 && one->high > one->low &&
         one->high <= DAY;
}

void durations_add(Durations *durations, Duration one) {
  double ended = one.began + middle_of(&one);
  if (!is_sound(&one))
    return;
  note_end(durations, one.began, ended);
  if (durations->count == DURATIONS_MAX && !make_room(durations, ended))
    return;
  insert(durations, one);
  forget(durations);
}
