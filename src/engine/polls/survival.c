/* The chance that a job still runs: see survival.h. */
#include "survival.h"

#include "density.h"

#include <stddef.h>

#define CELL 0.25      /* seconds */
#define CELLS_EVEN 200 /* are as long as that; then a 200th of the time */
#define CELL_MOST 1.25
static void lay_grid(double *at) {
  at[0] = 0;
  for (size_t i = 0; i < SURVIVAL_CELLS; i++) {
    double cell = i < CELLS_EVEN ? CELL : at[i] / CELLS_EVEN;
    at[i + 1] = at[i] + (cell < CELL_MOST ? cell : CELL_MOST);
  }
}

static void integrate(Survival *survival) {
  survival->area[0] = 0;
  for (size_t i = 1; i <= SURVIVAL_CELLS; i++)
    survival->area[i] =
        survival->area[i - 1] + (survival->runs[i - 1] + survival->runs[i]) /
                                    2 * (survival->at[i] - survival->at[i - 1]);
}

void survival_fill(Survival *survival, const Durations *durations) {
  Density density;
  density_fill(&density, durations);
  survival->longest = durations_longest(durations);
  survival->known = density.known;
  lay_grid(survival->at);
  survival->runs[0] = 1;
  for (size_t i = 1; i <= SURVIVAL_CELLS; i++)
    survival->runs[i] = 1 - density_below(&density, survival->at[i]);
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
