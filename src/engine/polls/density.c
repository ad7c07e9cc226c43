/* How likely each length is: see density.h. */
#include "density.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LOG_LEAST (-3.0) /* of a second */
#define STEP 0.03
#define ROUNDS 8

#define PRIOR_WEIGHT 0.5
#define PRIOR_SPREAD 0.6
#define PRIOR_MEAN 3.0 /* of the logarithm: 20 s */
#define PRIOR_OWN 3    /* jobs that tell where their middle is */

#define APART_SHARE 0.5 /* of that weight: for what was before a change */
#define APART_WIDTH 0.15

#define WIDTH_LEAST 0.06
#define WIDTH_MOST 0.35
#define SILVERMAN 0.9
#define UNSURE 2.0  /* jobs */
#define NARROW 0.01 /* cells: two looks are not closer */

/* An eighth of them that are next to each other: log-normal ones of spread 1
 * are 0.36 apart, in the middle of all eighths; and more, since few jobs are
 * closer by chance. */
#define NEAR_PART 8
#define NEAR_LEAST 2
#define NEAR_APART 0.36
#define NEAR_MORE 1.3

/* Between which two looks each has ended, in cells; and how old those were that
 * have not. */
typedef struct Looks {
  unsigned count, running;
  double from[DURATIONS_MAX], to[DURATIONS_MAX], age[DURATIONS_MAX];
  double longest; /* cell */
  double near;    /* how far those next to each other are spread */
} Looks;

/* What is expected of a job before anything of its like was seen. */
typedef struct Guess {
  double apart;                   /* of its weight */
  double runs[DENSITY_CELLS + 1]; /* of those before the change */
  double longest;                 /* cell */
} Guess;

static double clamp(double value, double least, double most) {
  return value < least ? least : value > most ? most : value;
}

static double cell_of(double seconds) {
  double log_least = LOG_LEAST;
  if (!(seconds > 0))
    return 0;
  return clamp((log(seconds) - log_least) / STEP, 0, DENSITY_CELLS);
}

static double log_of(double cell) {
  return LOG_LEAST + STEP * cell;
}

/* What lies below there; the same on each side of it beyond the grid. */
static double at(const double *below, double cell) {
  double place = clamp(cell, 0, DENSITY_CELLS);
  size_t i = (size_t)place;
  if (i == DENSITY_CELLS)
    return below[i];
  return below[i] + (place - (double)i) * (below[i + 1] - below[i]);
}

static void add_look(Looks *looks, const Duration *one) {
  unsigned i = looks->count++;
  double to = cell_of((double)one->high);
  looks->to[i] = to > NARROW ? to : NARROW;
  looks->from[i] = clamp(cell_of((double)one->low), 0, looks->to[i] - NARROW);
  looks->longest = fmax(looks->longest, looks->to[i]);
}

/* ---- how far those next to each other are spread ---- */

static int compare(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double median_of(double *values, unsigned count) {
  qsort(values, count, sizeof *values, compare);
  return values[count / 2];
}

/* Of quick and long jobs in one class each kind by itself, with whatever is
 * between them left out; never less than the looks can tell.  Nothing where
 * many ended before any. */
static double near_of(const Looks *looks) {
  double middles[DURATIONS_MAX], spans[DURATIONS_MAX], widths[DURATIONS_MAX];
  unsigned step = looks->count / NEAR_PART, count, early = 0;
  if (step < NEAR_LEAST)
    step = NEAR_LEAST;
  for (unsigned i = 0; i < looks->count; i++)
    early += looks->from[i] <= 0;
  if (looks->count < 2 * step || 4 * early > looks->count)
    return (double)INFINITY;
  count = looks->count - step;
  for (unsigned i = 0; i < looks->count; i++) {
    middles[i] = (looks->from[i] + looks->to[i]) / 2;
    widths[i] = looks->to[i] - looks->from[i];
  }
  qsort(middles, looks->count, sizeof *middles, compare);
  for (unsigned i = 0; i < count; i++)
    spans[i] = middles[i + step] - middles[i];
  return STEP * hypot(NEAR_MORE / (NEAR_APART * NEAR_PART) * looks->count /
                          step * median_of(spans, count),
                      median_of(widths, looks->count) / 2);
}

static void set_looks(Looks *looks, const Durations *durations) {
  looks->count = looks->running = 0;
  looks->longest = 0;
  for (unsigned i = durations->since; i < durations->count; i++) {
    const Duration *one = &durations->ones[i];
    if (duration_ended(one))
      add_look(looks, one);
    else if (one->low > 0)
      looks->age[looks->running++] = cell_of((double)one->low);
  }
  looks->near = near_of(looks);
}

/* Adds `weight` to all that lies before `cell`: to the cells before its own
 * (summed up later, from behind), and to its own as far as it goes. */
static void add_before(double *whole, double *part, double cell,
                       double weight) {
  size_t i = (size_t)cell;
  if (i == DENSITY_CELLS)
    i--;
  part[i] += weight * (cell - (double)i);
  whole[i] += weight;
}

/* Each look's share of what `below` has between its ends, in `below`. */
static void weigh(double *below, const Looks *looks) {
  double whole[DENSITY_CELLS] = {0}, part[DENSITY_CELLS] = {0};
  double before = below[0], sum = 0;
  for (unsigned i = 0; i < looks->count; i++) {
    double mass = at(below, looks->to[i]) - at(below, looks->from[i]);
    double weight = 1.0 / looks->count / (mass > 1e-12 ? mass : 1e-12);
    add_before(whole, part, looks->to[i], weight);
    add_before(whole, part, looks->from[i], -weight);
  }
  for (size_t i = DENSITY_CELLS; i-- > 0;) {
    part[i] += sum;
    sum += whole[i];
  }
  below[0] = 0;
  for (size_t i = 0; i < DENSITY_CELLS; i++) {
    double mass = (below[i + 1] - before) * part[i];
    before = below[i + 1];
    below[i + 1] = below[i] + mass;
  }
}

/* ---- how far it is blurred ---- */

/* The cell before which that share lies. */
static double cell_at(const double *below, double share) {
  size_t i = 1;
  while (i < DENSITY_CELLS && below[i] < share)
    i++;
  if (below[i] <= below[i - 1])
    return (double)i;
  return (double)i - (below[i] - share) / (below[i] - below[i - 1]);
}

/* Of the logarithms. */
static double mean_of(const double *below) {
  double sum = 0;
  for (size_t i = 0; i < DENSITY_CELLS; i++)
    sum += (below[i + 1] - below[i]) * log_of((double)i + 0.5);
  return sum;
}

/* How far they are from there at least: what no look told apart is no spread.
 */
static double spread_of(const Looks *looks, double mean) {
  double cell = (mean - LOG_LEAST) / STEP, sum = 0;
  for (unsigned i = 0; i < looks->count; i++) {
    double away = STEP * (clamp(cell, looks->from[i], looks->to[i]) - cell);
    sum += away * away;
  }
  return sqrt(sum / looks->count);
}

/* Silverman's rule, for the least of what may be the spread; and wider where
 * that itself is hardly known. */
static double width_of(const double *below, const Looks *looks, double mean) {
  double spread = spread_of(looks, mean);
  double middle = STEP * (cell_at(below, 0.75) - cell_at(below, 0.25)) / 1.34;
  double width =
      SILVERMAN * (1 + UNSURE / looks->count) * pow(looks->count, -0.2) *
      fmin(looks->near, looks->count > 3 && middle < spread ? middle : spread);
  return looks->count < 2 ? WIDTH_MOST : clamp(width, WIDTH_LEAST, WIDTH_MOST);
}

/* The mean over `reach` cells on each side of each. */
static void blur(double *below, double reach) {
  double sum[DENSITY_CELLS + 1], from[DENSITY_CELLS + 1];
  memcpy(from, below, sizeof from);
  sum[0] = 0;
  for (size_t i = 0; i < DENSITY_CELLS; i++)
    sum[i + 1] = sum[i] + (from[i] + from[i + 1]) / 2;
  for (size_t i = 0; i <= DENSITY_CELLS; i++) {
    double left = (double)i - reach, right = (double)i + reach;
    double beyond = fmax(0, right - DENSITY_CELLS) * from[DENSITY_CELLS];
    below[i] = (at(sum, right) + beyond - at(sum, left)) / (2 * reach);
  }
}

/* ---- those that still run ---- */

/* How many of those that still run were as old, or older: blurred as far as the
 * others are. */
static void count_running(double *older, const Looks *looks, double reach) {
  double younger[DENSITY_CELLS + 1] = {0};
  for (unsigned i = 0; i < looks->running; i++)
    younger[(size_t)ceil(looks->age[i])] += 1;
  for (size_t i = 0; i < DENSITY_CELLS; i++)
    younger[i + 1] += younger[i];
  if (looks->running > 0) {
    blur(younger, reach);
    blur(younger, reach);
  }
  for (size_t i = 0; i <= DENSITY_CELLS; i++)
    older[i] = looks->running - younger[i];
}

/* ---- what nobody has seen ---- */

/* Each of those before the change as in the middle of its looks. */
static void set_guess(Guess *guess, const Durations *durations) {
  double ended[DENSITY_CELLS + 1] = {0}, reach = sqrt(1.5) * APART_WIDTH / STEP;
  double count = 0;
  guess->longest = 0;
  for (unsigned i = 0; i < durations->since; i++) {
    const Duration *one = &durations->ones[i];
    double low = (double)one->low, high = (double)one->high;
    if (!duration_ended(one))
      continue;
    ended[(size_t)ceil(cell_of((low + high) / 2))] += 1;
    guess->longest = fmax(guess->longest, cell_of(high) + 2 * reach);
    count++;
  }
  for (size_t i = 0; i < DENSITY_CELLS; i++)
    ended[i + 1] += ended[i];
  blur(ended, reach);
  blur(ended, reach);
  guess->apart = count > 0 ? APART_SHARE : 0;
  for (size_t i = 0; i <= DENSITY_CELLS; i++)
    guess->runs[i] = 1 - ended[i] / fmax(1, count);
}

/* The weight of the guess that still runs at that edge. */
static double guess_at(const Guess *guess, double centre, size_t i) {
  double away = log_of((double)i) - centre;
  double wide = 0.5 * erfc(away / (PRIOR_SPREAD * 1.4142135623730951));
  return PRIOR_WEIGHT *
         (guess->apart * guess->runs[i] + (1 - guess->apart) * wide);
}

/* Of all that still ran at a cell, the guess included, the part that ended
 * within it ends there (Kaplan, Meier).  Past all that is known the guess goes
 * on by itself. */
static void add_unseen(double *below, const Looks *looks, const double *older,
                       const Guess *guess, double centre) {
  double prior = guess_at(guess, centre, 0);
  double own = looks->count * (1 - below[0]);
  double runs = (own + prior) / (looks->count + PRIOR_WEIGHT);
  below[0] = 1 - runs;
  for (size_t i = 0; i < DENSITY_CELLS; i++) {
    double prior_next = guess_at(guess, centre, i + 1);
    double own_next = looks->count * (1 - below[i + 1]);
    double running = (older[i] + older[i + 1]) / 2;
    double all = own + prior + running;
    runs *= all > 1e-12 ? (own_next + prior_next + running) / all : 0;
    below[i + 1] = 1 - runs;
    own = own_next;
    prior = prior_next;
  }
}

/* Two means over a stretch make a triangle of this standard deviation.  Where
 * some still run, the last round knows best how long all take. The cell that
 * it reaches to. */
static double widen(double *below, const Looks *looks, const Guess *guess,
                    const double *last) {
  double older[DENSITY_CELLS + 1];
  const double *all = looks->running > 0 ? last : below;
  double mean = mean_of(all);
  double reach = sqrt(1.5) * width_of(all, looks, mean) / STEP;
  blur(below, reach);
  blur(below, reach);
  count_running(older, looks, reach);
  add_unseen(below, looks, older, guess,
             looks->count < PRIOR_OWN ? PRIOR_MEAN : mean);
  return fmax(looks->longest + 2 * reach, guess->longest);
}

void density_fill(Density *density, const Durations *durations) {
  double last[DENSITY_CELLS + 1], known = 0;
  Looks looks;
  Guess guess;
  set_looks(&looks, durations);
  set_guess(&guess, durations);
  for (size_t i = 0; i <= DENSITY_CELLS; i++) /* all times are as likely */
    density->below[i] = exp(log_of((double)i));
  for (int i = 0; i < ROUNDS; i++) {
    memcpy(last, density->below, sizeof last);
    weigh(density->below, &looks);
    known =
        widen(density->below, &looks, &guess, i > 0 ? last : density->below);
  }
  density->known = exp(log_of(known));
}

double density_below(const Density *density, double seconds) {
  return at(density->below, cell_of(seconds));
}

double density_time(const Density *density, double share) {
  return exp(log_of(clamp(cell_at(density->below, share), 0, DENSITY_CELLS)));
}
