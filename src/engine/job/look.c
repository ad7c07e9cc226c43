/* The places of looks at reference images: see look.h. */
#include "look.h"

#include <strings.h>

#define HOST_MAX (CHECKS_MAX / 2) /* looks at one host at once */

void look_join(Look *look) {
  queue_append(&look->probe->checks->waiting, &look->link);
}

void look_leave(Look *look) {
  Checks *checks = look->probe->checks;
  queue_remove(&look->link);
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
  for (QueueLink *link = checks->waiting.first; link; link = link->next)
    if (may_begin(checks, QUEUE_ITEM(link, Look, link)))
      return QUEUE_ITEM(link, Look, link);
  return NULL;
}
