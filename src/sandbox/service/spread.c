/* How long jobs take: see spread.h. */
#include "spread.h"

#include <math.h>

#define TURN 6.283185307179586

/* splitmix64, as a number in (0, 1]. */
static double next_even(Spread *spread) {
  uint64_t z = spread->seed += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return ((double)(z >> 11) + 1) / 9007199254740992.0;
}

/* A normal number of two even ones: Box and Muller. */
double spread_next(Spread *spread) {
  if (spread->sigma <= 0)
    return spread->median;
  double radius = sqrt(-2 * log(next_even(spread)));
  double normal = radius * cos(TURN * next_even(spread));
  return spread->median * exp(spread->sigma * normal);
}
