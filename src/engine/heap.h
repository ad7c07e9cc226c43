/*
 * The timer heap: a binary min-heap of timers that their owners embed.
 *
 * A timer knows its place, so it is moved or taken out in O(log n) without a
 * search.  The heap owns only its array.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_HEAP_H
#define GPTIMAGE2_ENGINE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Timer {
  double at;    /* monotonic seconds */
  size_t place; /* index in the heap plus one; 0 = not set */
} Timer;

/* The time stands beside the timer: to compare two a timer is not looked at,
 * which with thousands of them is rarely in any cache. */
typedef struct HeapEntry {
  double at;
  Timer *timer;
} HeapEntry;

typedef struct Heap {
  HeapEntry *entries;
  size_t count;
  size_t capacity;
} Heap;

/* Makes room for one more timer.  Called when a timer's owner is made, so that
 * heap_set can never fail.  False when memory runs out. */
bool heap_reserve(Heap *heap, size_t timers);

/* Sets or moves `timer` to go off at `at` (monotonic seconds). */
void heap_set(Heap *heap, Timer *timer, double at);

/* Takes `timer` out; nothing happens when it is not set. */
void heap_clear(Heap *heap, Timer *timer);

/* The timer that goes off first, or NULL. */
Timer *heap_first(const Heap *heap);

void heap_free(Heap *heap);

#endif
