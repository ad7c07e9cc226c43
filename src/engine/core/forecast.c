/* An outlook across the threads: see forecast.h. */
#include "forecast.h"

#define TRIES 8

/* The order of all these is one that all threads agree on: what is read between
 * two looks at the same even turn is what was written before that. */
void forecast_set(Forecast *forecast, const Outlook *outlook) {
  atomic_fetch_add(&forecast->turn, 1);
  for (unsigned i = 0; i < OUTLOOK_LEVELS; i++)
    atomic_store(&forecast->times[i], outlook->times[i]);
  atomic_fetch_add(&forecast->turn, 1);
}

bool forecast_get(const Forecast *forecast, Outlook *outlook) {
  for (int tries = 0; tries < TRIES; tries++) {
    unsigned turn = atomic_load(&forecast->turn);
    for (unsigned i = 0; i < OUTLOOK_LEVELS; i++)
      outlook->times[i] = atomic_load(&forecast->times[i]);
    if (turn % 2 == 0 && atomic_load(&forecast->turn) == turn)
      return true;
  }
  return false;
}
