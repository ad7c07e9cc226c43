/* The places of the checks of reference images: see reference_check.h. */
#include "reference_check.h"

#include <strings.h>

#define HOST_MAX (CHECKS_MAX / 2) /* checks at one host at once */

void reference_check_wait(ReferenceCheck *check) {
  queue_append(&check->probe->checks->waiting, &check->link);
}

void reference_check_release(ReferenceCheck *check) {
  Checks *checks = check->probe->checks;
  queue_remove(&check->link);
  for (unsigned i = 0; i < CHECKS_MAX; i++)
    if (checks->running[i] == check)
      checks->running[i] = NULL;
}

ReferenceCheck **reference_check_place(Checks *checks) {
  for (unsigned i = 0; i < CHECKS_MAX; i++)
    if (!checks->running[i])
      return &checks->running[i];
  return NULL;
}

static bool is_same_host(const ReferenceCheck *one,
                         const ReferenceCheck *other) {
  return one->host_length == other->host_length &&
         strncasecmp(one->host, other->host, one->host_length) == 0;
}

/* Its host has room, and its account is not far ahead of itself: what was
 * looked at long before the create says little. */
static bool may_begin(const Checks *checks, const ReferenceCheck *check) {
  const Account *account = check->probe->account;
  unsigned same = 0;
  if (account->checked >= account->limiter.limit.max)
    return false;
  for (unsigned i = 0; i < CHECKS_MAX; i++)
    same += checks->running[i] && is_same_host(checks->running[i], check);
  return same < HOST_MAX;
}

ReferenceCheck *reference_check_next(const Checks *checks) {
  for (QueueLink *link = checks->waiting.first; link; link = link->next)
    if (may_begin(checks, QUEUE_ITEM(link, ReferenceCheck, link)))
      return QUEUE_ITEM(link, ReferenceCheck, link);
  return NULL;
}
