/* How many jobs at once the service bears: see pace.h. */
#include "pace.h"

#define QUIET_MIN 1.0  /* seconds */
#define QUIET_MAX 30.0 /* seconds */

void pace_init(Pace *pace, unsigned most) {
  *pace = (Pace){.most = most, .limit = most};
}

void pace_slow_down(Pace *pace, double now, double wait) {
  double quiet = wait > QUIET_MIN ? wait : QUIET_MIN;
  if (now < pace->quiet_until)
    return;
  pace->quiet_until = now + (quiet < QUIET_MAX ? quiet : QUIET_MAX);
  pace->credit = 0;
  if (pace->limit > 1)
    pace->limit /= 2;
}

/* As many successes as jobs at once earn one more: the growth of TCP's
 * congestion avoidance (RFC 5681, 3.1). */
void pace_succeed(Pace *pace, double now) {
  if (pace->limit >= pace->most || now < pace->quiet_until)
    return;
  if (++pace->credit < pace->limit)
    return;
  pace->credit = 0;
  pace->limit++;
}
