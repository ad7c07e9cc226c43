/* How many jobs at once the service bears: see adaptive_limit.h. */
#include "adaptive_limit.h"

#define QUIET_MIN 1.0  /* seconds */
#define QUIET_MAX 30.0 /* seconds */

void adaptive_limit_init(AdaptiveLimit *limit, unsigned max) {
  *limit = (AdaptiveLimit){.max = max, .current = max};
}

void adaptive_limit_on_429(AdaptiveLimit *limit, double now, double wait) {
  double quiet = wait > QUIET_MIN ? wait : QUIET_MIN;
  if (now < limit->quiet_until)
    return;
  limit->quiet_until = now + (quiet < QUIET_MAX ? quiet : QUIET_MAX);
  limit->credit = 0;
  if (limit->current > 1)
    limit->current /= 2;
}

/* As many successes as jobs at once earn one more: the growth of TCP's
 * congestion avoidance (RFC 5681, 3.1). */
void adaptive_limit_on_success(AdaptiveLimit *limit, double now) {
  if (limit->current >= limit->max || now < limit->quiet_until)
    return;
  if (++limit->credit < limit->current)
    return;
  limit->credit = 0;
  limit->current++;
}
