/* Events that go round between the two threads. */
#include "check.h"

#include "engine/core/event_pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 20000

static EventPool pool;

static Event *take(void) {
  Event *event = event_pool_take(&pool);
  assert_non_null(event);
  return event;
}

static void give_body(Event *event, size_t size) {
  event->body = malloc(size);
  event->body_length = size;
  event->body_size = (uint32_t)size;
  assert_non_null(event->body);
}

static void an_event_comes_back_empty(void **state) {
  Event *event = take();
  Event *again;
  (void)state;
  event->kind = EVENT_ENDED;
  event->attempts = 3;
  event->path = strdup("path");
  failure_set(&event->failure, "lost", "lost", "%s", "detail");
  event_pool_return(&pool, event);
  again = take();
  assert_ptr_equal(again, event);
  assert_memory_equal(again, &(Event){0}, sizeof *again);
  event_pool_return(&pool, again);
  event_pool_free(&pool);
}

static void the_memory_of_its_body_comes_with_it(void **state) {
  Event *event = take();
  char *bytes;
  (void)state;
  give_body(event, 300);
  bytes = event->body;
  event_pool_return(&pool, event);
  event = take();
  assert_null(event->body);
  assert_int_equal(event->body_length, 0);
  assert_ptr_equal(event->spare, bytes);
  assert_int_equal(event->spare_size, 300);
  give_body(event, 200); /* nobody wanted the spare one: it stays */
  event_pool_return(&pool, event);
  event = take();
  assert_ptr_equal(event->spare, bytes);
  event_pool_return(&pool, event);
  event_pool_free(&pool);
}

static void a_large_body_is_not_kept(void **state) {
  Event *event = take();
  (void)state;
  give_body(event, EVENT_BODY_MAX + 1);
  event_pool_return(&pool, event);
  event = take();
  assert_null(event->spare);
  event_pool_return(&pool, event);
  event_pool_free(&pool);
}

static void only_so_many_are_kept(void **state) {
  Event *events[2 * EVENT_POOL_MAX];
  (void)state;
  for (size_t i = 0; i < COUNT(events); i++)
    events[i] = take();
  for (size_t i = 0; i < COUNT(events); i++)
    event_pool_return(&pool, events[i]);
  assert_int_equal(atomic_load(&pool.count), EVENT_POOL_MAX);
  for (size_t i = 0; i < EVENT_POOL_MAX; i++)
    events[i] = take();
  assert_int_equal(atomic_load(&pool.count), 0);
  assert_null(pool.spare);
  for (size_t i = 0; i < EVENT_POOL_MAX; i++)
    event_pool_return(&pool, events[i]);
  event_pool_free(&pool);
  assert_int_equal(atomic_load(&pool.count), 0);
}

/* ---- two threads ---- */

static _Atomic(Event *) handed;

static void *give_back(void *user) {
  (void)user;
  for (unsigned i = 0; i < ROUNDS; i++) {
    Event *event;
    while (!(event = atomic_exchange(&handed, NULL)))
      sched_yield();
    if (event->attempts != i || event->body[0] != (char)i)
      abort();
    event_pool_return(&pool, event);
  }
  return NULL;
}

static void hand_over(unsigned number) {
  Event *event = take();
  event->attempts = number;
  if (!event->spare) {
    event->spare = malloc(event->spare_size = 64);
    assert_non_null(event->spare);
  }
  event->body = event->spare;
  event->body_size = event->spare_size;
  event->spare = NULL;
  event->body[0] = (char)number;
  while (atomic_load(&handed))
    sched_yield();
  atomic_store(&handed, event);
}

static void one_thread_fills_and_the_other_returns(void **state) {
  pthread_t thread;
  (void)state;
  assert_int_equal(pthread_create(&thread, NULL, give_back, NULL), 0);
  for (unsigned i = 0; i < ROUNDS; i++)
    hand_over(i);
  pthread_join(thread, NULL);
  assert_true(atomic_load(&pool.count) >= 1);
  assert_true(atomic_load(&pool.count) <= EVENT_POOL_MAX);
  event_pool_free(&pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_event_comes_back_empty),
      cmocka_unit_test(the_memory_of_its_body_comes_with_it),
      cmocka_unit_test(a_large_body_is_not_kept),
      cmocka_unit_test(only_so_many_are_kept),
      cmocka_unit_test(one_thread_fills_and_the_other_returns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
