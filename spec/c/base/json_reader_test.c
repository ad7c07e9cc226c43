/* The reader of replies: what it takes, what it refuses, what it finds. */
#include "check.h"

#include "engine/base/json_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static JsonReader reader_of(const char *text) {
  JsonReader reader;
  json_begin(&reader, text, strlen(text));
  return reader;
}

/* Read as a value that nobody wants. */
static bool takes(const char *text) {
  JsonReader reader = reader_of(text);
  json_skip(&reader);
  return json_ended(&reader);
}

static void json_is_taken(void **state) {
  static const char *const texts[] = {
      "{}",
      "[]",
      " \t\r\n{ \"a\" : [ 1 , 2 ] } \n",
      "{\"a\":{\"b\":[{},[],[[]]]},\"c\":null}",
      "true",
      "[false,null,true]",
      "\"\"",
      "\"a \\\" \\\\ \\/ \\b\\f\\n\\r\\t \\u00e9\\uABCD\"",
      "\"a\ttab and a line's\nend\"",
      "0",
      "-0",
      "-12.50e+10",
      "1E-5",
      "0.0",
      "\xEF\xBB\xBF{}",
      "\xEF\xBB\xBF []"};
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (!takes(texts[i]))
      fail_msg("refused: %s", texts[i]);
}

static void what_is_no_json_is_refused(void **state) {
  static const char *const texts[] = {"",
                                      " ",
                                      "{",
                                      "}",
                                      "[",
                                      "]",
                                      "{]",
                                      "[}",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{,}",
                                      "{1:2}",
                                      "{\"a\" 1}",
                                      "{\"a\":1 \"b\":2}",
                                      "[1,]",
                                      "[,1]",
                                      "[1 2]",
                                      "[1]]",
                                      "[1]x",
                                      "\"",
                                      "\"a",
                                      "\"\\",
                                      "\"\\\"",
                                      "\"\\q\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "tru",
                                      "truex",
                                      "nul",
                                      "None",
                                      "-",
                                      "+1",
                                      "01",
                                      "-01",
                                      "1.",
                                      ".5",
                                      "-.5",
                                      "1e",
                                      "1e+",
                                      "0x10",
                                      "NaN",
                                      "Infinity",
                                      "'a'",
                                      "\xEF\xBB{}",
                                      "{}\xEF\xBB\xBF",
                                      " \xEF\xBB\xBF{}",
                                      "\xEF\xBB\xBF",
                                      "\xEF\xBB\xBF\xEF\xBB\xBF{}"};
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (takes(texts[i]))
      fail_msg("taken: %s", texts[i]);
}

static void a_nul_is_refused_wherever_it_is(void **state) {
  static const char text[] = "{\"a\":\"b\"}\0";
  JsonReader reader;
  (void)state;
  json_begin(&reader, text, sizeof text - 1);
  json_skip(&reader);
  assert_false(json_ended(&reader));
  json_begin(&reader, "[\"a\0b\"]", 7);
  json_skip(&reader);
  assert_false(json_ended(&reader));
}

static void nesting_is_limited(void **state) {
  char text[2 * 33 + 1] = {0};
  (void)state;
  memset(text, '[', 32);
  memset(text + 32, ']', 32);
  assert_true(takes(text));
  memset(text, '[', 33);
  memset(text + 33, ']', 33);
  assert_false(takes(text));
}

/* Every beginning of a reply is refused, and none is read past its end: the
 * copy has nothing behind it. */
static void a_beginning_is_refused(void **state) {
  static const char text[] =
      "{\"jobId\":\"a\\u00e9\",\"n\":[-1.5e3,true,null],\"o\":{}}";
  (void)state;
  for (size_t length = 0; length < sizeof text - 1; length++) {
    char *copy = malloc(length ? length : 1);
    JsonReader reader;
    assert_non_null(copy);
    memcpy(copy, text, length);
    json_begin(&reader, copy, length);
    json_skip(&reader);
    assert_false(json_ended(&reader));
    free(copy);
  }
  assert_true(takes(text));
}

static void members_and_elements_are_found(void **state) {
  JsonReader reader =
      reader_of("{\"a\":\"x\",\"b\":[1,\"y\",{\"z\":2}],\"a\\n\":-3,\"c\":4}");
  JsonPiece name;
  JsonPiece piece;
  (void)state;
  assert_int_equal(json_peek(&reader), JSON_OBJECT);
  json_enter(&reader);
  assert_true(json_next_member(&reader, &name));
  assert_true(json_is(&name, "a"));
  piece = json_read_text(&reader);
  assert_true(json_is(&piece, "x"));
  assert_true(json_next_member(&reader, &name));
  assert_int_equal(json_peek(&reader), JSON_ARRAY);
  json_enter(&reader);
  assert_true(json_next_element(&reader));
  assert_null(json_read_text(&reader).at); /* a number, and skipped */
  assert_true(json_next_element(&reader));
  assert_null(json_read_number(&reader).at); /* a text, and skipped */
  assert_true(json_next_element(&reader));
  assert_null(json_read_text(&reader).at); /* with all that is inside */
  assert_false(json_next_element(&reader));
  assert_true(json_next_member(&reader, &name));
  assert_true(name.escaped);
  assert_false(json_is(&name, "a\n"));
  piece = json_read_number(&reader);
  assert_true(json_to_double(&piece) == -3);
  assert_true(json_next_member(&reader, &name));
  assert_false(json_ended(&reader));
  json_skip(&reader);
  assert_false(json_next_member(&reader, &name));
  assert_true(json_ended(&reader));
}

static void once_broken_it_finds_nothing(void **state) {
  JsonReader reader = reader_of("[1 2,3]");
  (void)state;
  json_enter(&reader);
  assert_true(json_next_element(&reader));
  json_skip(&reader);
  for (int i = 0; i < 3; i++) {
    assert_false(json_next_element(&reader));
    assert_int_equal(json_peek(&reader), JSON_BROKEN);
    assert_null(json_read_text(&reader).at);
    json_enter(&reader);
    json_skip(&reader);
  }
  assert_false(json_ended(&reader));
}

static void texts_are_unescaped(void **state) {
  static const struct {
    const char *written;
    const char *meant;
  } rows[] = {
      {"\"plain\"", "plain"},
      {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
      {"\"\\u0041\\u00e9\\u20AC\"", "A\xC3\xA9\xE2\x82\xAC"},
      {"\"\\ud83d\\ude00!\"", "\xF0\x9F\x98\x80!"},
      {"\"\\uDBFF\\uDFFF\"", "\xF4\x8F\xBF\xBF"},
      {"\"a\\ud83d\"", "a\xEF\xBF\xBD"},
      {"\"\\ud83d\\u0041\"", "\xEF\xBF\xBD"
                             "A"},
      {"\"\\ude00\\ud83d\\n\"", "\xEF\xBF\xBD\xEF\xBF\xBD\n"},
      {"\"\\ud83dabcdef\"", "\xEF\xBF\xBD"
                            "abcdef"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    JsonReader reader = reader_of(rows[i].written);
    JsonPiece piece = json_read_text(&reader);
    char text[64] = {0};
    assert_true(json_ended(&reader));
    assert_int_equal(piece.escaped, strchr(rows[i].written, '\\') != NULL);
    assert_int_equal(json_unescape(&piece, text), strlen(rows[i].meant));
    assert_string_equal(text, rows[i].meant);
  }
}

static double number(const char *text) {
  JsonReader reader = reader_of(text);
  JsonPiece piece = json_read_number(&reader);
  assert_true(json_ended(&reader));
  return json_to_double(&piece);
}

/* The casts are for machines that keep literals with more bits (x87). */
static void numbers_are_exact_or_not_told(void **state) {
  (void)state;
  assert_true(number("0") == 0);
  assert_true(number("490") == 490);
  assert_true(number("-2.5") == -2.5);
  assert_true(number("0.1") == (double)0.1);
  assert_true(number("123456789.012345") == (double)123456789.012345);
  assert_true(number("999999999999999") == 999999999999999);
  assert_true(number("1e22") == (double)1e22);
  assert_true(number("12E-3") == (double)0.012);
  assert_true(number("0.00000000000000000001e20") == 1);
  assert_true(isnan(number("1234567890123456")));
  assert_true(isnan(number("1e23")));
  assert_true(isnan(number("1e-23")));
  assert_true(isnan(number("1e99999999999999999999")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(json_is_taken),
      cmocka_unit_test(what_is_no_json_is_refused),
      cmocka_unit_test(a_nul_is_refused_wherever_it_is),
      cmocka_unit_test(nesting_is_limited),
      cmocka_unit_test(a_beginning_is_refused),
      cmocka_unit_test(members_and_elements_are_found),
      cmocka_unit_test(once_broken_it_finds_nothing),
      cmocka_unit_test(texts_are_unescaped),
      cmocka_unit_test(numbers_are_exact_or_not_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
