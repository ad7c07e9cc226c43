/* The timer heap, against a model that looks at every timer. */
#include "check.h"

#include "engine/loop/heap.h"

#include <math.h>

#define TIMERS 150
#define STEPS 20000

/* The heap's first timer is the model's, places are right, nothing is lost. */
static void compare(const Heap *heap, const Timer *timers,
                    const double *times) {
  double earliest = (double)INFINITY;
  size_t set = 0;
  for (size_t i = 0; i < TIMERS; i++) {
    const HeapSeat *seat = &heap->seats[timers[i].seat - 1];
    if (timers[i].seat == 0)
      continue;
    set++;
    if (times[i] < earliest)
      earliest = times[i];
    assert_ptr_equal(seat->timer, &timers[i]);
    assert_int_equal(heap->entries[seat->place].seat, timers[i].seat - 1);
    assert_true(heap->entries[seat->place].at == times[i]);
  }
  assert_int_equal(heap->count, set);
  assert_true(heap->used <= TIMERS);
  for (size_t i = 1; i < heap->count; i++)
    assert_true(heap->entries[(i - 1) / 2].at <= heap->entries[i].at);
  assert_true(heap_first_at(heap) == earliest);
  assert_true(set == 0 ? heap_first(heap) == NULL
                       : times[heap_first(heap) - timers] == earliest);
}

static void random_timers_come_out_sorted(void **state) {
  static Timer timers[TIMERS];
  static double times[TIMERS]; /* what each was set to last */
  Heap heap = {0};
  uint64_t seed = 7;
  double before = -1;
  (void)state;
  assert_true(heap_reserve(&heap, TIMERS));
  for (unsigned step = 0; step < STEPS; step++) {
    unsigned i = random_below(&seed, TIMERS);
    if (random_below(&seed, 3) == 0)
      heap_clear(&heap, &timers[i]);
    else /* few values, so that many are the same */
      heap_set(&heap, &timers[i], times[i] = random_below(&seed, 60));
    compare(&heap, timers, times);
  }
  assert_true(heap.count > 10);
  while (heap_first(&heap)) {
    Timer *first = heap_first(&heap);
    assert_true(heap_first_at(&heap) >= before);
    before = heap_first_at(&heap);
    heap_clear(&heap, first);
    assert_int_equal(first->seat, 0);
    compare(&heap, timers, times);
  }
  heap_free(&heap);
}

static void a_timer_can_be_moved_both_ways(void **state) {
  Timer timers[3] = {{0}};
  Heap heap = {0};
  (void)state;
  assert_true(heap_reserve(&heap, 3));
  for (unsigned i = 0; i < 3; i++)
    heap_set(&heap, &timers[i], 10 + i);
  heap_set(&heap, &timers[2], 1);
  assert_ptr_equal(heap_first(&heap), &timers[2]);
  heap_set(&heap, &timers[2], (double)INFINITY);
  assert_ptr_equal(heap_first(&heap), &timers[0]);
  heap_set(&heap, &timers[0], 11.5);
  assert_ptr_equal(heap_first(&heap), &timers[1]);
  assert_int_equal(heap.count, 3);
  heap_free(&heap);
}

static void clearing_what_is_not_set_does_nothing(void **state) {
  Timer set = {0};
  Timer unset = {0};
  Heap heap = {0};
  (void)state;
  assert_null(heap_first(&heap));
  heap_clear(&heap, &unset);
  assert_true(heap_reserve(&heap, 1));
  heap_set(&heap, &set, 1);
  heap_clear(&heap, &unset);
  assert_ptr_equal(heap_first(&heap), &set);
  heap_clear(&heap, &set);
  heap_clear(&heap, &set);
  assert_null(heap_first(&heap));
  heap_free(&heap);
}

static void growing_keeps_what_is_set(void **state) {
  static Timer timers[1000];
  Heap heap = {0};
  (void)state;
  for (unsigned i = 0; i < 1000; i++) {
    assert_true(heap_reserve(&heap, i + 1));
    assert_true(heap.capacity > i);
    heap_set(&heap, &timers[i], 1000 - i);
    assert_ptr_equal(heap_first(&heap), &timers[i]);
  }
  heap_free(&heap);
  assert_int_equal(heap.count, 0);
  assert_null(heap_first(&heap));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_timers_come_out_sorted),
      cmocka_unit_test(a_timer_can_be_moved_both_ways),
      cmocka_unit_test(clearing_what_is_not_set_does_nothing),
      cmocka_unit_test(growing_keeps_what_is_set),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
