/* The timer heap: see heap.h. */
#include "heap.h"

#include <math.h>
#include <stdlib.h>

#define NO_SEAT UINT32_MAX

bool heap_reserve(Heap *heap, size_t timers) {
  size_t capacity = heap->capacity ? heap->capacity : 16;
  HeapEntry *entries;
  HeapSeat *seats;
  if (timers <= heap->capacity)
    return true;
  while (capacity < timers)
    capacity *= 2;
  if (capacity >= NO_SEAT)
    return false;
  entries = realloc(heap->entries, capacity * sizeof *entries);
  if (!entries)
    return false;
  heap->entries = entries;
  seats = realloc(heap->seats, capacity * sizeof *seats);
  if (!seats)
    return false;
  heap->seats = seats;
  if (heap->capacity == 0)
    heap->free = NO_SEAT;
  heap->capacity = (uint32_t)capacity;
  return true;
}

static uint32_t take_seat(Heap *heap, Timer *timer) {
  uint32_t seat = heap->free;
  if (seat == NO_SEAT)
    seat = heap->used++;
  else
    heap->free = heap->seats[seat].place;
  heap->seats[seat].timer = timer;
  timer->seat = seat + 1;
  return seat;
}

static void leave_seat(Heap *heap, Timer *timer) {
  uint32_t seat = timer->seat - 1;
  heap->seats[seat] = (HeapSeat){.place = heap->free};
  heap->free = seat;
  timer->seat = 0;
}

static void put(Heap *heap, uint32_t place, HeapEntry entry) {
  heap->entries[place] = entry;
  heap->seats[entry.seat].place = place;
}

/* Moves the entry at `place` towards the root until its parent is earlier. */
static void sift_up(Heap *heap, uint32_t place) {
  HeapEntry entry = heap->entries[place];
  while (place > 0) {
    uint32_t parent = (place - 1) / 2;
    if (heap->entries[parent].at <= entry.at)
      break;
    put(heap, place, heap->entries[parent]);
    place = parent;
  }
  put(heap, place, entry);
}

/* Moves the entry at `place` away from the root until both children are later.
 */
static void sift_down(Heap *heap, uint32_t place) {
  HeapEntry entry = heap->entries[place];
  for (;;) {
    uint32_t child = 2 * place + 1;
    if (child >= heap->count)
      break;
    if (child + 1 < heap->count &&
        heap->entries[child + 1].at < heap->entries[child].at)
      child++;
    if (entry.at <= heap->entries[child].at)
      break;
    put(heap, place, heap->entries[child]);
    place = child;
  }
  put(heap, place, entry);
}

/* Puts the entry where `place` is free, and then where it belongs. */
static void settle(Heap *heap, uint32_t place, HeapEntry entry) {
  put(heap, place, entry);
  sift_up(heap, place);
  sift_down(heap, heap->seats[entry.seat].place);
}

void heap_set(Heap *heap, Timer *timer, double at) {
  uint32_t seat;
  uint32_t place;
  if (timer->seat) {
    seat = timer->seat - 1;
    place = heap->seats[seat].place;
  } else {
    seat = take_seat(heap, timer);
    place = heap->count++;
  }
  settle(heap, place, (HeapEntry){at, seat});
}

void heap_clear(Heap *heap, Timer *timer) {
  uint32_t place;
  HeapEntry last;
  if (!timer->seat)
    return;
  place = heap->seats[timer->seat - 1].place;
  leave_seat(heap, timer);
  last = heap->entries[--heap->count];
  if (place < heap->count)
    settle(heap, place, last);
}

Timer *heap_first(const Heap *heap) {
  return heap->count ? heap->seats[heap->entries[0].seat].timer : NULL;
}

double heap_first_at(const Heap *heap) {
  return heap->count ? heap->entries[0].at : (double)INFINITY;
}

void heap_free(Heap *heap) {
  free(heap->entries);
  free(heap->seats);
  *heap = (Heap){0};
}
