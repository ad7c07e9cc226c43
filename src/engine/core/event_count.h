/*
 * Events are made by the I/O thread and freed by whoever has them; counted, so
 * that it is seen when the host is far behind with taking them.
 */
#ifndef GPTIMAGE2_ENGINE_EVENT_COUNT_H
#define GPTIMAGE2_ENGINE_EVENT_COUNT_H

#include "event.h"

#include <stdatomic.h>

#define EVENT_BEHIND 512 /* events out at once that are many */

/* All zero at first. */
typedef struct EventCount {
  unsigned made; /* (I/O thread) so far */
  atomic_uint freed;
} EventCount;

/* An empty event; NULL without memory.  I/O thread. */
Event *event_new(EventCount *count);

/* Frees an event, which must not be embedded.  Any thread. */
void event_free(EventCount *count, Event *event);

/* Whether the host takes so long that many wait for it.  I/O thread. */
bool event_count_is_high(EventCount *count);

#endif
