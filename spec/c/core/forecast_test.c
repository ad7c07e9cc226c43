/* Outlooks across the threads: whole ones, or none. */
#include "check.h"

#include "engine/core/forecast.h"

#include <pthread.h>

#define ROUNDS 20000 /* at least, and until so many were seen: */
#define SEEN 100

static Forecast forecast;
static atomic_uint written;
static atomic_bool enough;

static void set_all(float value) {
  Outlook outlook;
  for (unsigned i = 0; i < OUTLOOK_LEVELS; i++)
    outlook.times[i] = value;
  forecast_set(&forecast, &outlook);
}

static void *write_many(void *nothing) {
  (void)nothing;
  for (unsigned i = 1; !atomic_load(&enough); i++) {
    set_all((float)i);
    atomic_store(&written, i);
  }
  return NULL;
}

static void a_reader_sees_one_outlook(void **state) {
  pthread_t writer;
  unsigned seen = 0, mixed = 0;
  float last = 0;
  (void)state;
  assert_int_equal(pthread_create(&writer, NULL, write_many, NULL), 0);
  while (seen < SEEN || atomic_load(&written) < ROUNDS) {
    Outlook outlook;
    if (!forecast_get(&forecast, &outlook))
      continue;
    seen++;
    for (unsigned i = 1; i < OUTLOOK_LEVELS; i++)
      mixed += outlook.times[i] != outlook.times[0];
    mixed += outlook.times[0] < last; /* never back */
    last = outlook.times[0];
  }
  atomic_store(&enough, true);
  pthread_join(writer, NULL);
  assert_int_equal(mixed, 0);
}

/* As in a child that was forked in the middle of it. */
static void one_that_is_never_finished_is_none(void **state) {
  Outlook outlook;
  (void)state;
  set_all(7);
  assert_true(forecast_get(&forecast, &outlook));
  atomic_fetch_add(&forecast.turn, 1);
  assert_false(forecast_get(&forecast, &outlook));
  atomic_fetch_add(&forecast.turn, 1);
  assert_true(forecast_get(&forecast, &outlook));
}

static void nothing_was_set_at_first(void **state) {
  static Forecast fresh;
  Outlook outlook;
  (void)state;
  assert_true(forecast_get(&fresh, &outlook));
  for (unsigned i = 0; i < OUTLOOK_LEVELS; i++)
    assert_true(outlook.times[i] == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_reader_sees_one_outlook),
      cmocka_unit_test(one_that_is_never_finished_is_none),
      cmocka_unit_test(nothing_was_set_at_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
