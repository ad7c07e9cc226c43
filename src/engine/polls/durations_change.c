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

/* A few are no change where those that ran beside them, longer than any of
 * them, are a third as many as they are. */
#define OTHERS 3

/* No change is left where so many are as it was before, and that part of all.
 */
#define ALIKE_LEAST 2
#define ALIKE_PART 4

/* A duration in logarithms. */
typedef struct Place {
  double least, most, middle;
  double began, until; /* on the clock: it ran still */
  bool ended, runs;
} Place;

/* Sums over those that have ended, of the middles between their looks. */
typedef struct Sums {
  double count, middles, squares;
} Sums;

typedef struct Change {
  unsigned count;
  Place places[DURATIONS_MAX];
  Sums before[DURATIONS_MAX]; /* each: of those before it, that count */
} Change;

/* What no look told apart may have been spread as well: evenly, at most over
 * all that is below a time. */
static double unseen_of(const Place *place) {
  double width = place->most - place->least;
  return fmin(1, width * width / 12);
}

/* Those from `from` on count. */
static void set_places(Change *change, const Durations *durations,
                       unsigned from) {
  Sums sums = {0, 0, 0};
  change->count = durations->count;
  for (unsigned i = 0; i < durations->count; i++) {
    const Duration *one = &durations->ones[i];
    double low = (double)one->low, high = (double)one->high;
    Place *place = &change->places[i];
    *place = (Place){.least = low > 0 ? log(low) : -INFINITY,
                     .most = duration_ended(one) ? log(high) : INFINITY,
                     .middle = log((low + high) / 2),
                     .began = one->began,
                     .until = duration_runs(one) ? INFINITY : one->began + low,
                     .ended = duration_ended(one),
                     .runs = duration_runs(one)};
    change->before[i] = sums;
    if (place->ended && i >= from) {
      sums.count++;
      sums.middles += place->middle;
      sums.squares += place->middle * place->middle + unseen_of(place);
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

/* Whether it ran beside those from `first` on, and beyond: the order in which
 * such began says nothing. */
static bool outruns(const Change *change, unsigned i, unsigned first,
                    double longest) {
  const Place *place = &change->places[i];
  if (place->least <= longest)
    return false;
  return i >= first ? place->runs
                    : place->until > change->places[first].began + exp(longest);
}

/* Whether too many took, or have run, longer than any that ended of those from
 * `first` on, beside them: then those may be but the quick ones of both. */
static bool are_outrun(const Change *change, unsigned first) {
  double longest = -INFINITY;
  unsigned ended = 0, older = 0;
  for (unsigned i = first; i < change->count; i++)
    if (change->places[i].ended) {
      longest = fmax(longest, change->places[i].most);
      ended++;
    }
  for (unsigned i = 0; i < change->count; i++)
    older += outruns(change, i, first, longest);
  return older * OTHERS >= ended;
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
      !are_aside(change, first, mean, copysign(ASIDE * spread, away)) ||
      (away < 0 && are_outrun(change, first)))
    return 0;
  return fabs(away) / chance;
}

/* The squares that are left of those from `from` on, about a line. */
static double left_by_line(const Change *change, unsigned from) {
  double count = 0, places = 0, middles = 0, both = 0, wide = 0, high = 0;
  for (unsigned i = from; i < change->count; i++) {
    double place = (double)i - from, middle = change->places[i].middle;
    if (!change->places[i].ended)
      continue;
    count++;
    places += place;
    middles += middle;
    both += place * middle;
    wide += place * place;
    high += middle * middle;
  }
  both -= places * middles / count;
  wide -= places * places / count;
  return high - middles * middles / count - both * both / wide;
}

/* The same about two levels. */
static double left_by_step(const Change *change, unsigned from,
                           unsigned first) {
  double left = 0;
  for (int side = 0; side < 2; side++) {
    unsigned i = side ? first : from, end = side ? change->count : first;
    double count = 0, sum = 0, squares = 0;
    for (; i < end; i++)
      if (change->places[i].ended) {
        count++;
        sum += change->places[i].middle;
        squares += change->places[i].middle * change->places[i].middle;
      }
    left += count > 0 ? squares - sum * sum / count : 0;
  }
  return left;
}

/* Whether it rather went there job by job: that is followed (see
 * durations_trend.h), and none of it is apart. */
static bool is_drift(const Change *change, unsigned from, unsigned first) {
  return left_by_line(change, from) < left_by_step(change, from, first);
}

/* Where the service changed since `from`; that itself = nowhere. */
static unsigned find_change(const Durations *durations, unsigned from) {
  Change change = {.count = 0};
  double most = 0;
  unsigned first = from;
  set_places(&change, durations, from);
  for (unsigned i = from + 1; i + NEWEST_LEAST <= durations->count; i++) {
    double sure = certainty(&change, i);
    if (sure > most) {
      most = sure;
      first = i;
    }
  }
  return first > from && is_drift(&change, from, first) ? from : first;
}

/* ---- whether it was none ---- */

/* How many of those from `first` on are as those before, or on their other
 * side. */
static unsigned count_alike(const Change *change, unsigned first, double mean,
                            double margin) {
  unsigned alike = 0;
  for (unsigned i = first; i < change->count; i++) {
    const Place *place = &change->places[i];
    alike +=
        margin > 0 ? place->most < mean + margin : place->least > mean + margin;
  }
  return alike;
}

static bool was_no_change(const Durations *durations) {
  Change change;
  unsigned first = durations->since, alike;
  double mean, spread, away;
  const Sums *before;
  set_places(&change, durations, 0);
  before = &change.before[first];
  if (before->count < NEWEST_LEAST) /* what is apart has left */
    return false;
  mean = before->middles / before->count;
  spread = spread_of(before, mean);
  away = mean_away(&change, first, mean);
  alike = count_alike(&change, first, mean, copysign(ASIDE * spread, away));
  return (alike >= ALIKE_LEAST &&
          alike * ALIKE_PART >= durations_ended(durations)) ||
         (away < 0 && are_outrun(&change, first));
}

void durations_part(Durations *durations) {
  unsigned apart = durations->since, first;
  if (apart > 0 && was_no_change(durations))
    durations->since = apart = 0;
  first = find_change(durations, apart);
  if (first == apart)
    return;
  durations->since = first - apart;
  durations->count -= apart;
  memmove(durations->ones, durations->ones + apart,
          durations->count * sizeof *durations->ones);
}
