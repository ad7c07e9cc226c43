/* The secret that others repeat. */
#include "check.h"

#include "engine/secret.h"

#include <stdlib.h>
#include <string.h>

#define KEY "sk-12345"

static void each_place_gets_a_mark(void **state) {
  static const struct {
    const char *before, *after;
  } rows[] = {
      {"", ""},
      {"nothing", "nothing"},
      {KEY, "[key]"},
      {KEY KEY, "[key][key]"},
      {"a" KEY "b" KEY "c", "a[key]b[key]c"},
      {"sk-1234" KEY, "sk-1234[key]"},
      {"sk-1234", "sk-1234"},
      {KEY "sk-1234", "[key]sk-1234"},
      {"ask-" KEY "67", "ask-[key]67"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    char *bytes = strdup(rows[i].before);
    size_t length = secret_hide(bytes, strlen(bytes), KEY);
    check(length == strlen(rows[i].after) &&
              memcmp(bytes, rows[i].after, length) == 0,
          "row %zu: %.*s", i, (int)length, bytes);
    free(bytes);
  }
}

static void zeros_do_not_end_the_search(void **state) {
  char bytes[] = "a\0" KEY "\0b";
  (void)state;
  assert_int_equal(secret_hide(bytes, sizeof bytes - 1, KEY), 9);
  assert_memory_equal(bytes, "a\0[key]\0b", 9);
}

static void ordinary_words_are_left(void **state) {
  char bytes[] = "my fault: sandbox";
  (void)state;
  assert_int_equal(secret_hide(bytes, strlen(bytes), "sandbox"),
                   strlen("my fault: sandbox"));
  assert_int_equal(secret_hide(bytes, strlen(bytes), ""), strlen(bytes));
  assert_string_equal(bytes, "my fault: sandbox");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_place_gets_a_mark),
      cmocka_unit_test(zeros_do_not_end_the_search),
      cmocka_unit_test(ordinary_words_are_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
