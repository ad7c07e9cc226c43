/*
 * How many jobs at once the service bears: a 429 halves it for a while,
 * successes restore it, one by one.  Pure; I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_ADAPTIVE_LIMIT_H
#define GPTIMAGE2_ENGINE_ADAPTIVE_LIMIT_H

typedef struct AdaptiveLimit {
  unsigned max;       /* what the host allows: max_active */
  unsigned current;   /* what is allowed now, 1 to most */
  unsigned credit;    /* successes since the limit last grew */
  double quiet_until; /* monotonic seconds: one storm of 429s counts once */
} AdaptiveLimit;

void adaptive_limit_init(AdaptiveLimit *limit, unsigned max);

/* The service said 429.  `wait`: its Retry-After in seconds, negative = none.
 */
void adaptive_limit_on_429(AdaptiveLimit *limit, double now, double wait);

/* The service took a job. */
void adaptive_limit_on_success(AdaptiveLimit *limit, double now);

#endif
