/*
 * The timer heap: a binary min-heap of timers that their owners embed.
 *
 * A timer knows its seat, and its seat knows its place, so it is moved or taken
 * out in O(log n) without a search.  While others change places no timer is
 * touched: it lies inside a job, and with thousands of them that is in no
 * cache.  The heap owns only its arrays.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_HEAP_H
#define GPTIMAGE2_ENGINE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Timer {
  uint32_t seat; /* index among the seats plus one; 0 = not set */
} Timer;

typedef struct HeapEntry {
  double at;     /* monotonic seconds */
  uint32_t seat; /* index */
} HeapEntry;

typedef struct HeapSeat {
  Timer *timer;
  uint32_t place; /* index among the entries; of one that was left: the next */
} HeapSeat;

typedef struct Heap {
  HeapEntry *entries;
  HeapSeat *seats;
  uint32_t count;
  uint32_t capacity;
  uint32_t free; /* a seat that was left: the first of a chain */
  uint32_t used; /* seats from here on were never taken */
} Heap;

/* Makes room for `timers`.  Called when a timer's owner is made, so that
 * heap_set can never fail.  False when memory runs out. */
bool heap_reserve(Heap *heap, size_t timers);

/* Sets or moves `timer` to go off at `at` (monotonic seconds). */
void heap_set(Heap *heap, Timer *timer, double at);

/* Takes `timer` out; nothing happens when it is not set. */
void heap_clear(Heap *heap, Timer *timer);

/* The timer that goes off first, or NULL. */
Timer *heap_first(const Heap *heap);

/* When it does; infinite when there is none. */
double heap_first_at(const Heap *heap);

void heap_free(Heap *heap);

#endif
