/*
 * How many jobs at once the service bears: a 429 halves it for a while,
 * successes restore it, one by one.  Pure; I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_PACE_H
#define GPTIMAGE2_ENGINE_PACE_H

typedef struct Pace {
  unsigned most;      /* what the host allows: max_active */
  unsigned limit;     /* what is allowed now, 1 to most */
  unsigned credit;    /* successes since the limit last grew */
  double quiet_until; /* monotonic seconds: one storm of 429s counts once */
} Pace;

void pace_init(Pace *pace, unsigned most);

/* The service said 429.  `wait`: its Retry-After in seconds, negative = none.
 */
void pace_slow_down(Pace *pace, double now, double wait);

/* The service took a job. */
void pace_succeed(Pace *pace, double now);

#endif
