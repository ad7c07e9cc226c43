/* The timer heap: see heap.h. */
#include "heap.h"

#include <stdlib.h>

bool heap_reserve(Heap *heap, size_t timers) {
  size_t capacity = heap->capacity ? heap->capacity : 16;
  HeapEntry *grown;
  if (timers <= heap->capacity)
    return true;
  while (capacity < timers)
    capacity *= 2;
  grown = realloc(heap->entries, capacity * sizeof *grown);
  if (!grown)
    return false;
  heap->entries = grown;
  heap->capacity = capacity;
  return true;
}

static void put(Heap *heap, size_t index, HeapEntry entry) {
  heap->entries[index] = entry;
  entry.timer->place = index + 1;
}

/* Moves the entry at `index` towards the root until its parent is earlier. */
static void sift_up(Heap *heap, size_t index) {
  HeapEntry entry = heap->entries[index];
  while (index > 0) {
    size_t parent = (index - 1) / 2;
    if (heap->entries[parent].at <= entry.at)
      break;
    put(heap, index, heap->entries[parent]);
    index = parent;
  }
  put(heap, index, entry);
}

/* Moves the entry at `index` away from the root until both children are later.
 */
static void sift_down(Heap *heap, size_t index) {
  HeapEntry entry = heap->entries[index];
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= heap->count)
      break;
    if (child + 1 < heap->count &&
        heap->entries[child + 1].at < heap->entries[child].at)
      child++;
    if (entry.at <= heap->entries[child].at)
      break;
    put(heap, index, heap->entries[child]);
    index = child;
  }
  put(heap, index, entry);
}

void heap_set(Heap *heap, Timer *timer, double at) {
  size_t index = timer->place ? timer->place - 1 : heap->count++;
  timer->at = at;
  put(heap, index, (HeapEntry){at, timer});
  sift_up(heap, index);
  sift_down(heap, timer->place - 1);
}

void heap_clear(Heap *heap, Timer *timer) {
  size_t index = timer->place - 1;
  HeapEntry last;
  if (timer->place == 0)
    return;
  timer->place = 0;
  last = heap->entries[--heap->count];
  if (last.timer == timer)
    return;
  put(heap, index, last);
  sift_up(heap, index);
  sift_down(heap, last.timer->place - 1);
}

Timer *heap_first(const Heap *heap) {
  return heap->count ? heap->entries[0].timer : NULL;
}

void heap_free(Heap *heap) {
  free(heap->entries);
  *heap = (Heap){0};
}
