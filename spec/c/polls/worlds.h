/*
 * Services that do not exist: how long their jobs take, what a schedule of
 * polls costs there, exactly, and the best that one could do.
 */
#ifndef GPTIMAGE2_C_WORLDS_H
#define GPTIMAGE2_C_WORLDS_H

#include "looks.h"
#include "numbers.h"

#include "engine/polls/poll_plan.h"

#include <math.h>

/* Log-normal parts: how many of the jobs, their median in seconds, and the
 * spread of the logarithm. */
typedef struct World {
  const char *name;
  struct {
    double share, median, spread;
  } parts[2];
} World;

#define NO_MORE                                                                \
  { 0, 1, 1 }

static const World worlds[] = {
    {"log-normal 25 s, 0.35", {{1, 25, 0.35}, NO_MORE}},
    {"log-normal 25 s, 0.15", {{1, 25, 0.15}, NO_MORE}},
    {"log-normal 25 s, 0.70", {{1, 25, 0.70}, NO_MORE}},
    {"0.7 of 18 s, 0.3 of 45 s", {{0.7, 18, 0.2}, {0.3, 45, 0.2}}},
    {"0.9 of 20 s, 0.1 of 60 s", {{0.9, 20, 0.25}, {0.1, 60, 0.5}}},
};

/* The chance that a job runs still. */
static inline double world_runs(const World *world, double at) {
  double runs = 0;
  for (size_t i = 0; i < COUNT(world->parts); i++)
    if (world->parts[i].share > 0)
      runs += world->parts[i].share * 0.5 *
              erfc(log(at / world->parts[i].median) /
                   (world->parts[i].spread * sqrt(2)));
  return at > 0 ? runs : 1;
}

/* A duration: the normal number comes from two even ones (Box, Muller). */
static inline double world_draw(const World *world, uint64_t *seed) {
  size_t i = random_unit(seed) < world->parts[0].share ? 0 : 1;
  double radius = sqrt(-2 * log(1 - random_unit(seed)));
  double normal = radius * cos(6.283185307179586 * random_unit(seed));
  return world->parts[i].median * exp(world->parts[i].spread * normal);
}

/* The time when that chance is left. */
static inline double world_time(const World *world, double chance) {
  double low = 0.01, high = 1e4;
  for (int i = 0; i < 60; i++) {
    double middle = sqrt(low * high);
    if (world_runs(world, middle) > chance)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* A history without chance: quantiles, in an order without a drift. */
static inline void world_learn(const World *world, Durations *known) {
  *known = (Durations){0};
  for (unsigned i = 0; i < DURATIONS_MAX; i++)
    durations_add(
        known,
        seen_as(1e4 * i, world_time(world, (i * 37 % DURATIONS_MAX + 0.5) /
                                               DURATIONS_MAX)));
}

/* ---- what a schedule costs ---- */

typedef struct Cost {
  double polls;
  double lag; /* seconds from the end of a job to the poll that finds it */
} Cost;

#define FINE 0.1       /* seconds */
#define WORLD_END 500. /* seconds */

/* The wait for the jobs that end between two polls. */
static inline double lag_between(const World *world, double from, double to) {
  double area = 0;
  int steps = (int)ceil((to - from) / FINE);
  double step = (to - from) / steps;
  for (int i = 0; i < steps; i++)
    area += step *
            (world_runs(world, from + i * step) +
             world_runs(world, from + (i + 1) * step)) /
            2;
  return (to - from) * world_runs(world, from) - area;
}

/* Of polls whose pauses `next` gives for an age. */
static inline Cost world_cost(const World *world,
                              double (*next)(const PollPlan *, double, double),
                              const PollPlan *plan, double random) {
  Cost cost = {0, 0};
  double at = 0;
  while (at < WORLD_END && world_runs(world, at) > 1e-7) {
    double pause = next(plan, at, random);
    cost.polls += world_runs(world, at);
    cost.lag += lag_between(world, at, at + pause);
    at += pause;
  }
  return cost;
}

static inline double loop_pause(const PollPlan *plan, double age,
                                double random) {
  (void)plan, (void)age, (void)random;
  return 2.5;
}

/* The documented loop: a poll every 2.5 s. */
static inline Cost loop_cost(const World *world) {
  return world_cost(world, loop_pause, NULL, 0.5);
}

/* ---- the best within the guards, knowing the world ---- */

#define TICK 0.1 /* seconds */
#define TICKS 3000

/* The cheapest schedule at this price of a poll: from each tick on, the lag and
 * the polls that are still to come, of all jobs. */
static inline Cost optimum_at(const World *world, double price) {
  static double runs[TICKS + 1], area[TICKS + 1], polls[TICKS + 1],
      lag[TICKS + 1];
  for (int i = 0; i <= TICKS; i++) {
    runs[i] = world_runs(world, i * TICK);
    area[i] = i ? area[i - 1] + TICK * (runs[i - 1] + runs[i]) / 2 : 0;
    polls[i] = lag[i] = 0;
  }
  for (int i = TICKS - 1; i >= 0; i--) {
    double best = INFINITY;
    int longest = i ? 50 : 100;
    for (int gap = 5; gap <= longest && i + gap <= TICKS; gap++) {
      double wait = gap * TICK * runs[i] - (area[i + gap] - area[i]);
      double cost = wait + lag[i + gap] + price * (runs[i] + polls[i + gap]);
      if (cost < best) {
        best = cost;
        lag[i] = wait + lag[i + gap];
        polls[i] = runs[i] + polls[i + gap];
      }
    }
  }
  return (Cost){.polls = polls[0], .lag = lag[0]};
}

/* The same for so many polls. */
static inline Cost optimum_for(const World *world, double polls) {
  double low = 1e-3, high = 50;
  for (int i = 0; i < 24; i++) {
    double middle = sqrt(low * high);
    if (optimum_at(world, middle).polls > polls)
      low = middle;
    else
      high = middle;
  }
  return optimum_at(world, high);
}

#endif
