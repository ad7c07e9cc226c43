/* How long a job will still take: see outlook.h. */
#include "outlook.h"

#include <math.h>
#include <stdbool.h>

/* The chances to run still, of which an outlook has the times.  The last ones
 * are for jobs that are older than most. */
static const double levels[OUTLOOK_LEVELS] = {
    1,   0.99, 0.97, 0.95, 0.92,  0.9,   0.85,  0.8,  0.75,  0.7,  0.65,
    0.6, 0.55, 0.5,  0.45, 0.4,   0.35,  0.3,   0.25, 0.2,   0.15, 0.125,
    0.1, 0.08, 0.06, 0.05, 0.035, 0.025, 0.015, 0.01, 0.005, 0.002};

/* What lies beyond the end of the grid is not known, nor what lies beyond all
 * that was seen. */
static double known_time(const Survival *survival, double chance) {
  double time = survival_time(survival, chance);
  return chance < survival->runs[SURVIVAL_CELLS] ||
                 time > survival->density.known
             ? INFINITY
             : time;
}

void outlook_make(Outlook *outlook, const Survival *survival, double unit) {
  outlook->times[0] = 0;
  for (unsigned i = 1; i < OUTLOOK_LEVELS; i++)
    outlook->times[i] = (float)(unit * known_time(survival, levels[i]));
}

/* Where `value` is between `from` and `to`: 0 to 1. */
static double share(double value, double from, double to) {
  return from == to ? 1 : (value - from) / (to - from);
}

/* The chance that a job of this age still ran; negative beyond what is known.
 */
static double chance_at(const Outlook *outlook, double age) {
  const float *times = outlook->times;
  unsigned i = 1;
  while (i < OUTLOOK_LEVELS && (double)times[i] <= age)
    i++;
  if (i == OUTLOOK_LEVELS)
    return -1;
  return levels[i - 1] + (levels[i] - levels[i - 1]) *
                             share(age, (double)times[i - 1], (double)times[i]);
}

/* The last time stands for all that is less likely; not finite where that is
 * not known. */
static double time_of(const Outlook *outlook, double chance) {
  const float *times = outlook->times;
  unsigned i = 1;
  while (i < OUTLOOK_LEVELS - 1 && levels[i] > chance)
    i++;
  if (levels[i] > chance)
    return (double)times[i];
  return (double)times[i - 1] + (double)(times[i] - times[i - 1]) *
                                    share(chance, levels[i - 1], levels[i]);
}

static bool is_empty(const Outlook *outlook) {
  return !(outlook->times[OUTLOOK_LEVELS - 1] > 0);
}

double outlook_left(const Outlook *outlook, double age, double chance) {
  double runs, left;
  if (is_empty(outlook) || !(age >= 0))
    return NAN;
  runs = chance_at(outlook, age);
  if (runs < 0)
    return NAN;
  left = time_of(outlook, runs * chance) - age;
  return isfinite(left) ? fmax(0, left) : NAN;
}

double outlook_between(const Outlook *outlook, double low, double high) {
  double from, to, time;
  if (is_empty(outlook))
    return (low + high) / 2;
  from = chance_at(outlook, low);
  to = fmax(0, chance_at(outlook, high));
  time = time_of(outlook, (from + to) / 2);
  return from > to && time > low && time < high ? time : (low + high) / 2;
}
