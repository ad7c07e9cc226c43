/*
 * Time, in seconds.  The monotonic clock drives every deadline; the wall clock
 * is only ever shown to people.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_CLOCK_H
#define GPTIMAGE2_ENGINE_CLOCK_H

#include <time.h>

static inline double clock_read(clockid_t which) {
  struct timespec now;
  clock_gettime(which, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Seconds on a clock that never jumps; its zero has no meaning. */
static inline double clock_monotonic(void) {
  return clock_read(CLOCK_MONOTONIC);
}

/* Seconds that this machine has slept since it was started, and the monotonic
 * clock stood still; 0 where nobody can tell. */
static inline double clock_asleep(void) {
#ifdef CLOCK_BOOTTIME
  double monotonic = clock_monotonic();
  return clock_read(CLOCK_BOOTTIME) - monotonic;
#else
  return 0;
#endif
}

/* Seconds since 1970, for people and records. */
static inline double clock_wall(void) {
  return clock_read(CLOCK_REALTIME);
}

#endif
