/* Events that go round: see event_pool.h. */
#include "event_pool.h"

#include <stdlib.h>

static Event *next_of(const Event *event) {
  return (Event *)event->link.next;
}

static void free_event(Event *event) {
  free(event->spare);
  free(event);
}

bool event_pool_is_behind(EventPool *pool) {
  unsigned back = atomic_load_explicit(&pool->back, memory_order_relaxed);
  return pool->taken - back > EVENT_BEHIND;
}

static Event *take(EventPool *pool) {
  Event *event = pool->spare;
  if (!event)
    event =
        atomic_exchange_explicit(&pool->returned, NULL, memory_order_acquire);
  if (!event)
    return calloc(1, sizeof *event);
  atomic_fetch_sub_explicit(&pool->count, 1, memory_order_relaxed);
  pool->spare = next_of(event);
  *event = (Event){.spare = event->spare, .spare_size = event->spare_size};
  return event;
}

Event *event_pool_take(EventPool *pool) {
  Event *event = take(pool);
  pool->taken += event != NULL;
  return event;
}

/* The memory of the reply stays with the event, unless it is too much. */
static void empty(Event *event) {
  failure_clear(&event->failure);
  free(event->path);
  if (event->spare || event->body_size > EVENT_BODY_MAX) {
    free(event->body);
    return;
  }
  event->spare = event->body;
  event->spare_size = event->body_size;
}

void event_pool_return(EventPool *pool, Event *event) {
  Event *first;
  atomic_fetch_add_explicit(&pool->back, 1, memory_order_relaxed);
  empty(event);
  if (atomic_load_explicit(&pool->count, memory_order_relaxed) >=
      EVENT_POOL_MAX) {
    free_event(event);
    return;
  }
  atomic_fetch_add_explicit(&pool->count, 1, memory_order_relaxed);
  first = atomic_load_explicit(&pool->returned, memory_order_relaxed);
  do
    event->link.next = (Link *)first;
  while (!atomic_compare_exchange_weak_explicit(&pool->returned, &first, event,
                                                memory_order_release,
                                                memory_order_relaxed));
}

void event_pool_drop(EventPool *pool, Event *event) {
  atomic_fetch_add_explicit(&pool->back, 1, memory_order_relaxed);
  failure_clear(&event->failure);
  free(event->path);
  free(event->body);
  free_event(event);
}

static void free_chain(Event *event) {
  while (event) {
    Event *next = next_of(event);
    free_event(event);
    event = next;
  }
}

void event_pool_free(EventPool *pool) {
  free_chain(pool->spare);
  free_chain(atomic_load(&pool->returned));
  pool->spare = NULL;
  atomic_store(&pool->returned, NULL);
  atomic_store(&pool->count, 0);
}
