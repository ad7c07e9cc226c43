/* Who may go on: see limiter.h. */
#include "limiter.h"

#include <stddef.h>

void limiter_wait(Permit *permit) {
  Limiter *limiter = permit->limiter;
  permit->waiting = true;
  permit->ahead = limiter->last;
  permit->behind = NULL;
  if (limiter->last)
    limiter->last->behind = permit;
  else
    limiter->first = permit;
  limiter->last = permit;
}

static void stop_waiting(Permit *permit) {
  Limiter *limiter = permit->limiter;
  if (permit->ahead)
    permit->ahead->behind = permit->behind;
  else
    limiter->first = permit->behind;
  if (permit->behind)
    permit->behind->ahead = permit->ahead;
  else
    limiter->last = permit->ahead;
  permit->waiting = false;
}

void limiter_acquire(Permit *permit) {
  permit->active = true;
  permit->limiter->active++;
}

void limiter_release(Permit *permit) {
  if (permit->waiting)
    stop_waiting(permit);
  if (!permit->active)
    return;
  permit->active = false;
  permit->limiter->active--;
}

/* One may end while it begins and come back here: the outer call goes on. */
void limiter_dispatch(Limiter *limiter) {
  if (limiter->dispatching)
    return;
  limiter->dispatching = true;
  while (limiter->first && limiter->active < limiter->limit.current) {
    Permit *permit = limiter->first;
    stop_waiting(permit);
    limiter_acquire(permit);
    permit->begin(permit);
  }
  limiter->dispatching = false;
}
