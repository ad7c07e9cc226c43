/* The places of looks at reference images: see look.h. */
#include "look.h"

#include <strings.h>

#define HOST_MAX (CHECKS_MAX / 2) /* looks at one host at once */

void look_join(Look *look) {
  Checks *checks = look->probe->checks;
  look->waiting = true;
  look->ahead = checks->last;
  look->behind = NULL;
  if (checks->last)
    checks->last->behind = look;
  else
    checks->first = look;
  checks->last = look;
}

void look_stop_waiting(Look *look) {
  Checks *checks = look->probe->checks;
  if (look->ahead)
    look->ahead->behind = look->behind;
  else
    checks->first = look->behind;
  if (look->behind)
    look->behind->ahead = look->ahead;
  else
    checks->last = look->ahead;
  look->waiting = false;
}

void look_leave(Look *look) {
  Checks *checks = look->probe->checks;
  if (look->waiting)
    look_stop_waiting(look);
  for (unsigned i = 0; i < CHECKS_MAX; i++)
    if (checks->running[i] == look)
      checks->running[i] = NULL;
}

Look **look_place(Checks *checks) {
  for (unsigned i = 0; i < CHECKS_MAX; i++)
    if (!checks->running[i])
      return &checks->running[i];
  return NULL;
}

static bool is_same_host(const Look *one, const Look *other) {
  return one->host_length == other->host_length &&
         strncasecmp(one->host, other->host, one->host_length) == 0;
}

/* Its host has room, and its account is not far ahead of itself: what was
 * looked at long before the create says little. */
static bool may_begin(const Checks *checks, const Look *look) {
  const Account *account = look->probe->account;
  unsigned same = 0;
  if (account->checked >= account->limiter.limit.max)
    return false;
  for (unsigned i = 0; i < CHECKS_MAX; i++)
    same += checks->running[i] && is_same_host(checks->running[i], look);
  return same < HOST_MAX;
}

Look *look_next(const Checks *checks) {
  Look *look = checks->first;
  while (look && !may_begin(checks, look))
    look = look->behind;
  return look;
}
