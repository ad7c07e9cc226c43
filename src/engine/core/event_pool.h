/*
 * Events that go round: the I/O thread fills them, the host reads them and
 * gives them back.
 *
 * malloc would never see them again where they came from: what one thread
 * allocates and the other frees misses the caches of both.  So an event, with
 * the memory of the reply it carried, goes back to the thread that made it.
 * At most EVENT_POOL_MAX wait there, each with EVENT_BODY_MAX bytes at most.
 */
#ifndef GPTIMAGE2_ENGINE_EVENT_POOL_H
#define GPTIMAGE2_ENGINE_EVENT_POOL_H

#include "event.h"

#include <stdatomic.h>

#define EVENT_POOL_MAX 128
#define EVENT_BEHIND 512 /* events out at once that are many */
#define EVENT_BODY_MAX ((size_t)1024)

typedef struct EventPool {
  _Atomic(Event *) returned; /* a chain: the host adds, the I/O thread takes */
  atomic_uint count;         /* events in the pool */
  unsigned taken;            /* (I/O thread) events, so far */
  atomic_uint back;          /* and how many of them came back */
  Event *spare;              /* (I/O thread) a chain */
} EventPool;

/* I/O thread: an empty event; NULL without memory.  `spare` may have memory for
 * a reply. */
Event *event_pool_take(EventPool *pool);

/* Host's thread: takes the event back, which must not be embedded. */
void event_pool_return(EventPool *pool, Event *event);

/* Whether the host takes so long that many wait for it.  I/O thread. */
bool event_pool_is_behind(EventPool *pool);

/* Frees an event, which must not be embedded: on the thread that has it. */
void event_pool_drop(EventPool *pool, Event *event);

/* Frees all that is in the pool, which no other thread uses any more. */
void event_pool_free(EventPool *pool);

#endif
