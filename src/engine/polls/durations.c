/* How long jobs took: see durations.h.  A change of the service is sought in
 * durations_change.c. */
#include "durations.h"

#include <string.h>

unsigned durations_ended(const Durations *durations) {
  unsigned ended = 0;
  for (unsigned i = durations->since; i < durations->count; i++)
    ended += duration_ended(&durations->ones[i]);
  return ended;
}

double durations_longest(const Durations *durations) {
  double longest = 0;
  for (unsigned i = durations->since; i < durations->count; i++) {
    const Duration *one = &durations->ones[i];
    if (duration_ended(one))
      longest = fmax(longest, ((double)one->low + (double)one->high) / 2);
  }
  return longest;
}

/* Whether one that begins has a place.  It is not asked how long those in it
 * have run: what is known of the long and of the short ones stays even. */
static bool has_place(const Durations *durations) {
  unsigned open = 0;
  for (unsigned i = 0; i < durations->count; i++)
    open += duration_runs(&durations->ones[i]);
  return open < DURATIONS_OPEN;
}

static bool is_sound(const Duration *one) {
  return isfinite(one->began) && one->low >= 0 && one->high > one->low &&
         (one->high <= DURATION_DAY || duration_runs(one));
}

/* Behind all that began before it. */
static void insert(Durations *durations, Duration one) {
  unsigned at = durations->count++;
  for (; at > 0 && durations->ones[at - 1].began > one.began; at--)
    durations->ones[at] = durations->ones[at - 1];
  durations->ones[at] = one;
  durations->since += at < durations->since;
}

void durations_add(Durations *durations, Duration one) {
  if (!is_sound(&one) || (duration_runs(&one) && !has_place(durations)))
    return;
  if (durations->count == DURATIONS_MAX) {
    if (one.began < durations->ones[0].began)
      return;
    memmove(durations->ones, durations->ones + 1,
            --durations->count * sizeof *durations->ones);
    durations->since -= durations->since > 0;
  }
  insert(durations, one);
}

void durations_update(Durations *durations, Duration one) {
  for (unsigned i = durations->count; i-- > 0;) {
    Duration *old = &durations->ones[i];
    if (old->began < one.began)
      return;
    if (old->began > one.began || !duration_runs(old))
      continue;
    if (is_sound(&one))
      *old = one;
    else
      old->high = DURATION_LEFT;
    return;
  }
}
