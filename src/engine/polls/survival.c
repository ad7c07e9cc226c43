/* The chance that a job still runs: see survival.h. */
#include "survival.h"

#include "durations_trend.h"

#include <math.h>
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
  Durations today;
  durations_today(durations, &today);
  density_fill(&survival->density, &today);
  survival->longest = durations_longest(&today);
  lay_grid(survival->at);
  survival->runs[0] = 1;
  for (size_t i = 1; i <= SURVIVAL_CELLS; i++)
    survival->runs[i] = 1 - density_below(&survival->density, survival->at[i]);
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
  return fmin(density_time(&survival->density, 1 - chance),
              survival->at[SURVIVAL_CELLS]);
}
