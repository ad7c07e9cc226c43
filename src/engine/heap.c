/* The timer heap: see heap.h. */
#include "heap.h"

#include <stdlib.h>

bool heap_reserve(Heap *heap, size_t timers) {
  size_t capacity = heap->capacity ? heap->capacity : 16;
  Timer **grown;
  if (timers <= heap->capacity)
    return true;
  while (capacity < timers)
    capacity *= 2;
  grown = realloc(heap->timers, capacity * sizeof *grown);
  if (!grown)
    return false;
  heap->timers = grown;
  heap->capacity = capacity;
  return true;
}

static void put(Heap *heap, size_t index, Timer *timer) {
  heap->timers[index] = timer;
  timer->place = index + 1;
}

/* Moves the timer at `index` towards the root until its parent is earlier. */
static void sift_up(Heap *heap, size_t index) {
  Timer *timer = heap->timers[index];
  while (index > 0) {
    size_t parent = (index - 1) / 2;
    if (heap->timers[parent]->at <= timer->at)
      break;
    put(heap, index, heap->timers[parent]);
    index = parent;
  }
  put(heap, index, timer);
}

/* Moves the timer at `index` away from the root until both children are later.
 */
static void sift_down(Heap *heap, size_t index) {
  Timer *timer = heap->timers[index];
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= heap->count)
      break;
    if (child + 1 < heap->count &&
        heap->timers[child + 1]->at < heap->timers[child]->at)
      child++;
    if (timer->at <= heap->timers[child]->at)
      break;
    put(heap, index, heap->timers[child]);
    index = child;
  }
  put(heap, index, timer);
}

void heap_set(Heap *heap, Timer *timer, double at) {
  timer->at = at;
  if (timer->place == 0)
    put(heap, heap->count++, timer);
  sift_up(heap, timer->place - 1);
  sift_down(heap, timer->place - 1);
}

void heap_clear(Heap *heap, Timer *timer) {
  size_t index = timer->place - 1;
  Timer *last;
  if (timer->place == 0)
    return;
  timer->place = 0;
  last = heap->timers[--heap->count];
  if (last == timer)
    return;
  put(heap, index, last);
  sift_up(heap, index);
  sift_down(heap, last->place - 1);
}

Timer *heap_first(const Heap *heap) {
  return heap->count ? heap->timers[0] : NULL;
}

void heap_free(Heap *heap) {
  free(heap->timers);
  *heap = (Heap){0};
}
