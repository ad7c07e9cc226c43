/* What says nothing at the ends of a text. */
#include "check.h"

#include "engine/base/blank.h"

#include <stdlib.h>
#include <string.h>

static void ends_are_taken_away(void **state) {
  static const struct {
    const char *text, *left;
  } rows[] = {
      {"", ""},
      {" \t\r\n\v\f", ""},
      {"a cup", "a cup"},
      {" a\tcup\n", "a\tcup"},
      {"\u3000a cup\u3000", "a cup"},
      {"\uFEFFa cup", "a cup"},
      {"\u00A0\u1680\u180E\u2002\u200B\u2028\u202F\u205F\u2060 a\u00A0\u00AD",
       "a"},
      {"a\u3000b", "a\u3000b"},
      {"\u3000\u00A0\uFEFF", ""},
      {"\xC2\x85\u2029", ""},
      /* what may belong to its neighbour stays, but says nothing alone */
      {"\u202Bab\u202C ", "\u202Bab\u202C"},
      {" a\u200D", "a\u200D"},
      {"\u200D\u200E \u2066\u2069\uFE0F", ""},
      /* what is seen, or no UTF-8, is no blank */
      {"\u00A1", "\u00A1"},
      {"\U0001F375 ", "\U0001F375"},
      {"\xC2", "\xC2"},
      {"\x80\xA0", "\x80\xA0"},
      {"\xE3\x80", "\xE3\x80"},
      {"\xC0\xA0", "\xC0\xA0"}, /* overlong */
      {"\xE0\x82\xA0", "\xE0\x82\xA0"},
      {"a\xA0", "a\xA0"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    size_t length = strlen(rows[i].text);
    char *copy = memcpy(malloc(length + 1), rows[i].text, length); /* no NUL */
    const char *text = copy;
    size_t left = blank_trim(&text, length);
    check(left == strlen(rows[i].left) && !memcmp(text, rows[i].left, left),
          "row %zu: %.*s", i, (int)left, text);
    free(copy);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(ends_are_taken_away)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
