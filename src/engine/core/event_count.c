/* Events, and how many the host has: see event_count.h. */
#include "event_count.h"

#include <stdlib.h>

Event *event_new(EventCount *count) {
  Event *event = calloc(1, sizeof *event);
  count->made += event != NULL;
  return event;
}

void event_free(EventCount *count, Event *event) {
  atomic_fetch_add_explicit(&count->freed, 1, memory_order_relaxed);
  failure_clear(&event->failure);
  free(event->path);
  free(event->body);
  free(event);
}

bool event_count_is_high(EventCount *count) {
  unsigned freed = atomic_load_explicit(&count->freed, memory_order_relaxed);
  return count->made - freed > EVENT_BEHIND;
}
