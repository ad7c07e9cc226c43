/* The byte buffer: growth, its maximum, and who owns the bytes. */
#include "check.h"

#include "engine/base/buffer.h"

#include <stdlib.h>
#include <string.h>

static void a_new_buffer_is_empty(void **state) {
  Buffer buffer;
  size_t length = 1;
  (void)state;
  buffer_init(&buffer, 10);
  assert_null(buffer.data);
  assert_int_equal(buffer.length, 0);
  assert_null(buffer_detach(&buffer, &length));
  assert_int_equal(length, 0);
}

static void bytes_arrive_in_order_and_end_in_nul(void **state) {
  static char model[40000];
  size_t filled = 0;
  uint64_t seed = 1;
  Buffer buffer;
  (void)state;
  buffer_init(&buffer, sizeof model);
  while (filled < sizeof model) {
    size_t length = random_below(&seed, 700);
    if (length > sizeof model - filled)
      length = sizeof model - filled;
    for (size_t i = 0; i < length; i++)
      model[filled + i] = (char)random_below(&seed, 256);
    assert_true(buffer_append(&buffer, model + filled, length));
    filled += length;
    assert_int_equal(buffer.length, filled);
    assert_int_equal(buffer.data[filled], 0);
    assert_true(buffer.capacity > filled);
  }
  assert_memory_equal(buffer.data, model, sizeof model);
  buffer_free(&buffer);
}

static void the_maximum_holds(void **state) {
  static const struct {
    size_t maximum, first, second;
    bool fits;
  } rows[] = {{8, 8, 0, true},         {8, 8, 1, false},
              {8, 4, 4, true},         {8, 4, 5, false},
              {0, 0, 0, true},         {0, 0, 1, false},
              {8, 3, SIZE_MAX, false}, {8, 3, SIZE_MAX - 3, false},
              {255, 200, 55, true},    {256, 200, 57, false},
              {256, 256, 0, true},     {300, 256, 44, true}};
  static const char bytes[300] = "0123456789";
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Buffer buffer;
    buffer_init(&buffer, rows[i].maximum);
    check(buffer_append(&buffer, bytes, rows[i].first), "row %zu: first", i);
    check(buffer_append(&buffer, bytes, rows[i].second) == rows[i].fits,
          "row %zu: second", i);
    check(buffer.capacity > buffer.length, "row %zu: no room for NUL", i);
    if (!rows[i].fits) {
      check(buffer.length == rows[i].first, "row %zu: changed", i);
      check(memcmp(buffer.data, bytes, buffer.length) == 0, "row %zu", i);
    }
    buffer_free(&buffer);
  }
}

static void freeing_keeps_the_maximum(void **state) {
  Buffer buffer;
  (void)state;
  buffer_init(&buffer, 4);
  assert_true(buffer_append(&buffer, "abcd", 4));
  buffer_free(&buffer);
  assert_null(buffer.data);
  assert_int_equal(buffer.length, 0);
  assert_false(buffer_append(&buffer, "abcde", 5));
  assert_true(buffer_append(&buffer, "wxyz", 4));
  assert_string_equal(buffer.data, "wxyz");
  buffer_free(&buffer);
}

static void detached_bytes_belong_to_the_caller(void **state) {
  Buffer buffer;
  size_t length = 0;
  char *bytes;
  (void)state;
  buffer_init(&buffer, 4);
  assert_true(buffer_append(&buffer, "ab", 2));
  bytes = buffer_detach(&buffer, &length);
  assert_int_equal(length, 2);
  assert_string_equal(bytes, "ab");
  assert_null(buffer.data);
  assert_true(buffer_append(&buffer, "cdef", 4));
  assert_string_equal(bytes, "ab");
  assert_string_equal(buffer.data, "cdef");
  free(bytes);
  buffer_free(&buffer);
}

/* More than any system has; doubled by the buffer it is still no negative
 * number where there is room for that, which valgrind would report. */
#define TOO_MUCH (SIZE_MAX / (sizeof(size_t) > 4 ? 8 : 4) + 1)

/* The sanitizers' allocators end the program instead of giving NULL. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void without_memory_nothing_changes(void **state) {
  Buffer buffer;
  (void)state;
  buffer_init(&buffer, SIZE_MAX);
  assert_true(buffer_append(&buffer, "ab", 2));
  assert_false(buffer_append(&buffer, "", TOO_MUCH));
  assert_int_equal(buffer.length, 2);
  assert_string_equal(buffer.data, "ab");
  buffer_free(&buffer);
}
#endif

static void memory_can_be_kept_for_the_next_contents(void **state) {
  Buffer buffer;
  const char *data;
  size_t length = 1;
  (void)state;
  buffer_init(&buffer, 1000);
  assert_true(buffer_append(&buffer, "first", 5));
  data = buffer.data;
  buffer_clear(&buffer, buffer.capacity);
  assert_int_equal(buffer.length, 0);
  assert_null(buffer_detach(&buffer, &length));
  assert_int_equal(length, 0);
  assert_true(buffer_append(&buffer, "2", 1));
  assert_ptr_equal(buffer.data, data);
  assert_string_equal(buffer.data, "2");
  buffer_clear(&buffer, buffer.capacity - 1);
  assert_null(buffer.data);
  assert_int_equal(buffer.maximum, 1000);
  buffer_free(&buffer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_new_buffer_is_empty),
    cmocka_unit_test(bytes_arrive_in_order_and_end_in_nul),
    cmocka_unit_test(the_maximum_holds),
    cmocka_unit_test(freeing_keeps_the_maximum),
    cmocka_unit_test(detached_bytes_belong_to_the_caller),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    cmocka_unit_test(without_memory_nothing_changes),
#endif
    cmocka_unit_test(memory_can_be_kept_for_the_next_contents),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
