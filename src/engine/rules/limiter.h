/*
 * A limiter of jobs: at most max_active of an account's jobs are at the service
 * at once (fewer while it says 429: adaptive_limit.h), the rest wait in the
 * order of their submission.
 *
 * Jobs embed a Permit; nothing here knows more of them.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_LIMITER_H
#define GPTIMAGE2_ENGINE_LIMITER_H

#include "adaptive_limit.h"
#include "engine/base/queue.h"

#include <stdbool.h>

typedef struct Permit Permit;

/* The queue of one account. */
typedef struct Limiter {
  AdaptiveLimit limit; /* how many may have their turn at once */
  unsigned active;     /* how many have their turn now */
  Queue waiting;
  bool dispatching; /* inside limiter_dispatch */
} Limiter;

struct Permit {
  Limiter *limiter;
  void (*begin)(Permit *permit); /* its turn has come */
  bool active;
  QueueLink link; /* among those who wait */
};

static inline bool turn_is_waiting(const Permit *permit) {
  return permit->link.queue;
}

/* The first of those who wait; NULL = nobody does. */
static inline Permit *turn_first(const Limiter *limiter) {
  QueueLink *link = limiter->waiting.first;
  return link ? QUEUE_ITEM(link, Permit, link) : NULL;
}

/* Joins the end of the queue.  limiter_dispatch then begins what may begin. */
void limiter_wait(Permit *permit);

/* Counts one that is at the service already, without waiting. */
void limiter_acquire(Permit *permit);

/* Leaves the queue or gives its place back; nothing happens otherwise. */
void limiter_release(Permit *permit);

/* Begins those in front while there is room. */
void limiter_dispatch(Limiter *limiter);

#endif
