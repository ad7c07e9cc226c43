/* The secret that others repeat. */
#include "check.h"

#include "engine/base/redact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
    size_t length = redact(bytes, strlen(bytes), KEY);
    check(length == strlen(rows[i].after) &&
              memcmp(bytes, rows[i].after, length) == 0,
          "row %zu: %.*s", i, (int)length, bytes);
    free(bytes);
  }
}

static void zeros_do_not_end_the_search(void **state) {
  char bytes[] = "a\0" KEY "\0b";
  (void)state;
  assert_int_equal(redact(bytes, sizeof bytes - 1, KEY), 9);
  assert_memory_equal(bytes, "a\0[key]\0b", 9);
}

static void ordinary_words_are_left(void **state) {
  char bytes[] = "my fault: sandbox";
  (void)state;
  assert_int_equal(redact(bytes, strlen(bytes), "sandbox"),
                   strlen("my fault: sandbox"));
  assert_int_equal(redact(bytes, strlen(bytes), ""), strlen(bytes));
  assert_string_equal(bytes, "my fault: sandbox");
}

/* The result of hiding `secret` in `text`, to be freed. */
static char *hidden(const char *text, const char *secret) {
  char *bytes = strdup(text);
  bytes[redact(bytes, strlen(bytes), secret)] = '\0';
  return bytes;
}

static void every_spelling_is_one(void **state) {
  static const struct {
    const char *secret, *before, *after;
  } rows[] = {
      {"sk/live+1", "a sk\\/live+1 b", "a [key] b"},
      {"sk/live+1", "sk\\u002flive\\u002B1", "[key]"},
      {"sk/live+1", "sk\\u002Flive\\u002b1", "[key]"},
      {"sk/live+1", "\\u0073\\u006B\\/l\\u0069ve+\\u0031!", "[key]!"},
      {"sk/live+1", "k=sk%2flive%2B1&", "k=[key]&"},
      {"sk/live+1", "%73k\\/%6cive\\u00251\\u002b1 %73k\\/%6cive\\u002b1",
       "%73k\\/%6cive\\u00251\\u002b1 [key]"},
      {"sk/live+1", "sk\\u00252Flive%2\\u00421", "[key]"},
      {"sk/live+1", "{\\\"k\\\":\\\"sk\\\\/live\\\\u002b1\\\"}",
       "{\\\"k\\\":\\\"[key]\\\"}"},
      {"sk/live+1", "sk\\/sk\\/live+1sk/live+1", "sk\\/[key][key]"},
      {"sk/live+1", "\\\\sk/live+1", "[key]"},
      {"sk/live+1", "sk\\/live+\\u0032", "sk\\/live+\\u0032"},
      {"sk/live+1", "sk\\/live+\\u0131", "sk\\/live+\\u0131"},
      {"sk/live+1", "sk\\/live+%\\u00341", "sk\\/live+%\\u00341"},
      /* keys that look like spellings themselves */
      {"sk%2Flive", "sk%2Flive sk%252Flive sk\\u00252Flive",
       "[key] [key] [key]"},
      {"sk\\live-1", "sk\\live-1 sk\\\\live-1 sk\\u005clive-1",
       "[key] [key] [key]"},
      {"u002b-345", "u002b-345 \\u002b-345", "[key] \\[key]"},
      {"u002b-345", "\\\\u002b-%3345 \\\\u002b\\u002d345", "[key] [key]"},
      {"-u002b345-", "\\u002d\\u002b345\\u002d", "[key]"},
      {"u002b-345", "\\u002b-35x", "\\u002b-35x"},
      {"u002b-3456", "\\\\u002b%2d345", "[key]"},
      {"abcababcabab", "\\u0061bcabcababcababcab", "\\u0061bc[key]cab"},
      /* its beginning, where the rest was cut off */
      {"sk/live-123", "{\"a\":\"sk/live-12", "{\"a\":\"[key]"},
      {"sk/live-123", "sk\\/live-1\\u003", "[key]"},
      {"sk/live-123", "sk\\/live-1\\", "[key]"},
      {"sk/live-123", "sk\\/live-1%3", "[key]"},
      {"sk/live-123", "sk\\/live-1%", "[key]"},
      {"sk/live-123", "sk/liv", "sk/liv"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    char *after = hidden(rows[i].before, rows[i].secret);
    check(strcmp(after, rows[i].after) == 0, "row %zu: %s", i, after);
    free(after);
  }
}

static char *put_character(char *to, char c, uint64_t *seed) {
  static const char *const ways[] = {"%c",      "\\%c",   "\\u%04x",
                                     "\\u%04X", "%%%02x", "%%%02X"};
  unsigned way = random_below(seed, COUNT(ways));
  if (way == 1 && !strchr("\"\\/", c))
    way = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  return to + sprintf(to, ways[way], (unsigned char)c);
#pragma GCC diagnostic pop
}

/* Each character in a way of its own, with all sorts of things around. */
static void mixed_spellings_are_one(void **state) {
  static const char *const noise[] = {"\\n",     "x",       "sk-", "\\u002f",
                                      "%",       "\\\"",    "[",   "s",
                                      "\\u00e9", "\xc3\xa9"};
  static const char secret[] = "sk-ab/+c.1=_%2\"sk-abc";
  uint64_t seed = 7;
  (void)state;
  for (int round = 0; round < 20000; round++) {
    char before[1024];
    char after[1024];
    char *to = before;
    char *expected = after;
    char *found;
    for (unsigned i = random_below(&seed, 6); i > 0; i--) {
      const char *piece = noise[random_below(&seed, COUNT(noise))];
      to = stpcpy(to, piece);
      expected = stpcpy(expected, piece);
    }
    to = stpcpy(to, "#"); /* a "%" before would make it something else */
    for (const char *c = secret; *c; c++)
      to = put_character(to, *c, &seed);
    memcpy(to, "#x", sizeof "#x");
    memcpy(expected, "#[key]#x", sizeof "#[key]#x");
    found = hidden(before, secret);
    check(strcmp(found, after) == 0, "round %d: %s: %s", round, before, found);
    free(found);
  }
}

#define LETTERS 200000

/* Seconds for a text that fits "aaa...b" of `length` characters at each place,
 * but for the last one. */
static double time_of(size_t length) {
  char *bytes = malloc(6 * LETTERS);
  char *secret = calloc(1, length + 1);
  struct timespec start;
  struct timespec end;
  assert_non_null(bytes);
  assert_non_null(secret);
  for (size_t i = 0; i < LETTERS; i++)
    memcpy(bytes + 6 * i, "\\u0061", 6);
  memset(secret, 'a', length);
  secret[length - 1] = 'b';
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  assert_int_equal(redact(bytes, 6 * LETTERS, secret),
                   6 * (LETTERS - (length - 1)) + strlen("[key]"));
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  free(secret);
  free(bytes);
  return (double)(end.tv_sec - start.tv_sec) +
         (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

/* A search that begins anew at each place takes 400 times as long. */
static void a_long_secret_takes_no_longer(void **state) {
  (void)state;
  assert_true(time_of(REDACT_MAX) < 20 * time_of(10));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_place_gets_a_mark),
      cmocka_unit_test(zeros_do_not_end_the_search),
      cmocka_unit_test(ordinary_words_are_left),
      cmocka_unit_test(every_spelling_is_one),
      cmocka_unit_test(mixed_spellings_are_one),
      cmocka_unit_test(a_long_secret_takes_no_longer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
