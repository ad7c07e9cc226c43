/* Whether the service has changed since most of what is known was seen: see
 * durations.h. */
#include "durations.h"

#include <string.h>

/* How many of the newest tell of a change, and how many must have ended before
 * them. */
#define NEWEST_LEAST 2
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

/* A duration in logarithms. */
typedef struct Place {
  double least, most;
  bool ended;
} Place;

/* Sums over those that have ended, of the middles between their looks. */
typedef struct Sums {
  double count, middles, squares;
} Sums;

typedef struct Change {
  unsigned count;
  Place places[DURATIONS_MAX];
  Sums before[DURATIONS_MAX]; /* each: of those before it */
} Change;

/* What no look told apart may have been spread as well: evenly, at most over
 * all that is below a time. */
static double unseen_of(const Place *place) {
  double width = place->most - place->least;
  return fmin(1, width * width / 12);
}

static void set_places(Change *change, const Durations *durations) {
  Sums sums = {0, 0, 0};
  change->count = durations->count;
  for (unsigned i = 0; i < durations->count; i++) {
    const Duration *one = &durations->ones[i];
    double low = (double)one->low, high = (double)one->high;
    Place *place = &change->places[i];
    *place = (Place){.least = low > 0 ? log(low) : -INFINITY,
                     .most = duration_ended(one) ? log(high) : INFINITY,
                     .ended = duration_ended(one)};
    change->before[i] = sums;
    if (place->ended) {
      double middle = log((low + high) / 2);
      sums.count++;
      sums.middles += middle;
      sums.squares += middle * middle + unseen_of(place);
    }
  }
}

static double spread_of(const Sums *sums, double mean) {
  double squares = sums->squares - sums->count * mean * mean;
  return fmax(SPREAD_LEAST, sqrt(fmax(0, squares / (sums->count - 1))));
}

/* How far from `mean` it was at least: 0 where it may have been as long. */
static double away_from(const Place *place, double mean) {
  if (place->least > mean)
    return place->least - mean;
  return place->most < mean ? place->most - mean : 0;
}

static double mean_away(const Change *change, unsigned first, double mean) {
  double sum = 0;
  for (unsigned i = first; i < change->count; i++)
    sum += away_from(&change->places[i], mean);
  return sum / (change->count - first);
}

/* Whether those that ended are further from `mean` than `margin`, on the side
 * of it.  Of those under way nothing is known, unless they are as well; but
 * some that are shorter than others of the same time are not a change. */
static bool are_aside(const Change *change, unsigned first, double mean,
                      double margin) {
  double longest = -INFINITY, oldest = -INFINITY;
  unsigned aside = 0;
  for (unsigned i = first; i < change->count; i++) {
    const Place *place = &change->places[i];
    double away = away_from(place, mean);
    bool is_aside = margin > 0 ? away >= margin : away <= margin;
    if (place->ended && !is_aside)
      return false;
    aside += is_aside;
    if (place->ended)
      longest = fmax(longest, place->most);
    else
      oldest = fmax(oldest, place->least);
  }
  return aside >= NEWEST_LEAST && (margin > 0 || oldest <= longest);
}

/* How sure it is that those from `first` on are of another service than those
 * before: each of them is aside, and their mean further away than chance brings
 * it (more than 1).  0 = it is not so. */
static double certainty(const Change *change, unsigned first) {
  const Sums *before = &change->before[first];
  unsigned newest = change->count - first;
  double mean, spread, away, chance;
  if (before->count < BEFORE_LEAST)
    return 0;
  mean = before->middles / before->count;
  spread = spread_of(before, mean);
  away = mean_away(change, first, mean);
  chance = spread * sqrt(1.0 / newest + 1 / before->count) *
           (away > 0 ? SLOWER(newest) : FASTER(newest));
  if (fabs(away) <= chance ||
      !are_aside(change, first, mean, copysign(ASIDE * spread, away)))
    return 0;
  return fabs(away) / chance;
}

void durations_forget(Durations *durations) {
  Change change;
  double most = 0;
  unsigned first = 0;
  set_places(&change, durations);
  for (unsigned i = 1; i + NEWEST_LEAST <= durations->count; i++) {
    double sure = certainty(&change, i);
    if (sure > most) {
      most = sure;
      first = i;
    }
  }
  durations->count -= first;
  memmove(durations->ones, durations->ones + first,
          durations->count * sizeof *durations->ones);
}
