/* Events, and how many the host has. */
#include "check.h"

#include "engine/core/event_count.h"

#include <stdlib.h>
#include <string.h>

static void an_event_is_empty_and_all_of_it_is_freed(void **state) {
  EventCount count = {0};
  Event *event = event_new(&count);
  (void)state;
  assert_non_null(event);
  assert_memory_equal(event, &(Event){0}, sizeof *event);
  event->path = strdup("path");
  event->body = strdup("body");
  failure_set(&event->failure, "lost", "lost", "%s", "detail");
  event_free(&count, event); /* LeakSanitizer looks */
  assert_int_equal(count.made, 1);
  assert_int_equal(atomic_load(&count.freed), 1);
}

static void many_that_are_out_are_noticed(void **state) {
  static Event *events[EVENT_BEHIND + 1];
  EventCount count = {.made = (unsigned)-3, .freed = (unsigned)-3}; /* wraps */
  (void)state;
  for (size_t i = 0; i < COUNT(events); i++) {
    assert_false(event_count_is_high(&count));
    events[i] = event_new(&count);
  }
  assert_true(event_count_is_high(&count));
  event_free(&count, events[0]);
  assert_false(event_count_is_high(&count));
  for (size_t i = 1; i < COUNT(events); i++)
    event_free(&count, events[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_event_is_empty_and_all_of_it_is_freed),
      cmocka_unit_test(many_that_are_out_are_noticed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
