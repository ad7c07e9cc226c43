/* The chance that a job still runs: see survival.h. */
#include "survival.h"

#include <math.h>
#include <stddef.h>

#define CELL 0.25      /* seconds */
#define CELLS_EVEN 200 /* are as long as that; then a 200th of the time */
#define CELL_MOST 1.25
#define PRIOR_WEIGHT 0.5
#define PRIOR_SPREAD 0.6
#define PRIOR_MEAN 3.0 /* of the logarithm: 20 s */
#define WIDTH_LEAST 0.06
#define WIDTH_MOST 0.35
#define SILVERMAN 0.9

static void lay_grid(double *at) {
  at[0] = 0;
  for (size_t i = 0; i < SURVIVAL_CELLS; i++) {
    double cell = i < CELLS_EVEN ? CELL : at[i] / CELLS_EVEN;
    at[i + 1] = at[i] + (cell < CELL_MOST ? cell : CELL_MOST);
  }
}

/* Silverman's rule, for logarithms in order. */
static double kernel_width(const float *sorted, unsigned count, double spread) {
  double width = spread;
  if (count > 3) {
    double middle = (double)(sorted[3 * count / 4] - sorted[count / 4]) / 1.34;
    if (middle > 0 && middle < width)
      width = middle;
  }
  width *= SILVERMAN * pow(count, -0.2);
  if (count < 2 || width > WIDTH_MOST)
    return WIDTH_MOST;
  return width < WIDTH_LEAST ? WIDTH_LEAST : width;
}

/* The share of a kernel (the biweight) below `u` of
 * its half width. */
static double below(double u) {
  if (u <= -1)
    return 0;
  return u >= 1 ? 1 : 0.5 + 15.0 / 16 * u * (1 - u * u * (2.0 / 3 - u * u / 5));
}

/* The biweight's half width, of its standard deviation. */
#define HALF_WIDTH 2.6457513110645906

static double prior_below(double log_time, double centre) {
  return 0.5 * erfc((centre - log_time) / (PRIOR_SPREAD * 1.4142135623730951));
}

static void integrate(Survival *survival) {
  survival->area[0] = 0;
  for (size_t i = 1; i <= SURVIVAL_CELLS; i++)
    survival->area[i] =
        survival->area[i - 1] + (survival->runs[i - 1] + survival->runs[i]) /
                                    2 * (survival->at[i] - survival->at[i - 1]);
}

/* What lies below a time wholly is only counted: `first` and on do not. */
static double sum_below(const float *sorted, unsigned count, double log_time,
                        double half, unsigned *first) {
  double sum;
  while (*first < count && (double)sorted[*first] + half <= log_time)
    ++*first;
  sum = *first;
  for (unsigned k = *first; k < count && (double)sorted[k] < log_time + half;
       k++)
    sum += below((log_time - (double)sorted[k]) / half);
  return sum;
}

void survival_fill(Survival *survival, const Durations *durations) {
  float sorted[DURATIONS_MAX];
  unsigned count = durations->count, first = 0;
  double half, centre = PRIOR_MEAN;
  durations_sort(durations, sorted);
  half = HALF_WIDTH * kernel_width(sorted, count, durations_spread(durations));
  if (count > 2)
    centre = durations_mean(durations);
  survival->longest = exp((double)sorted[count - 1]);
  lay_grid(survival->at);
  survival->runs[0] = 1;
  for (size_t i = 1; i <= SURVIVAL_CELLS; i++) {
    double log_time = log(survival->at[i]);
    double gone = sum_below(sorted, count, log_time, half, &first) +
                  PRIOR_WEIGHT * prior_below(log_time, centre);
    survival->runs[i] = 1 - gone / (count + PRIOR_WEIGHT);
  }
  integrate(survival);
}

double survival_loop_polls(const Survival *survival, double interval) {
  double polls = 0, at = 0;
  for (size_t i = 0; i <= SURVIVAL_CELLS; i++)
    if (survival->at[i] >= at) {
      polls += survival->runs[i];
      at += interval;
    }
  return polls;
}

double survival_time(const Survival *survival, double chance) {
  size_t i = 1;
  double before, after;
  while (i < SURVIVAL_CELLS && survival->runs[i] > chance)
    i++;
  before = survival->runs[i - 1];
  after = survival->runs[i];
  if (before - after < 1e-12 || chance <= after)
    return survival->at[i];
  return survival->at[i] - (chance - after) / (before - after) *
                               (survival->at[i] - survival->at[i - 1]);
}
