/* Who may go on: see limiter.h. */
#include "limiter.h"

void limiter_wait(Permit *permit) {
  queue_append(&permit->limiter->waiting, &permit->link);
}

void limiter_acquire(Permit *permit) {
  permit->active = true;
  permit->limiter->active++;
}

void limiter_release(Permit *permit) {
  queue_remove(&permit->link);
  if (!permit->active)
    return;
  permit->active = false;
  permit->limiter->active--;
}

/* One may end while it begins and come back here: the outer call goes on. */
void limiter_dispatch(Limiter *limiter) {
  Permit *permit;
  if (limiter->dispatching)
    return;
  limiter->dispatching = true;
  while ((permit = turn_first(limiter)) &&
         limiter->active < limiter->limit.current) {
    queue_remove(&permit->link);
    limiter_acquire(permit);
    permit->begin(permit);
  }
  limiter->dispatching = false;
}
