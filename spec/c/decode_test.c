/* What a reply means for a job: the part of it that the I/O thread reads. */
#include "check.h"

#include "engine/decode.h"
#include "engine/url.h"

#include <string.h>

#define ID "job_A-1"
#define LONG_ID                                                                \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"           \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"           \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"           \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static JsonPiece waiting(const char *answer) {
  return decode_waiting(answer, strlen(answer));
}

static void the_id_of_a_job_that_waits_is_found(void **state) {
  static const char *const rows[] = {
      "{\"jobId\":\"" ID "\",\"status\":\"pending\"}",
      " {\"status\" : \"running\", \"jobId\" : \"" ID "\"} ",
      "{\"jobId\":\"" ID "\"}",
      "{\"jobId\":\"" ID "\",\"status\":\"polishing\"}",
      "{\"jobId\":\"" ID "\",\"status\":null,\"balance\":{\"paidCredits\":4}}",
      "{\"jobId\":\"other\",\"jobId\":\"" ID "\"}",
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    JsonPiece id = waiting(rows[i]);
    check(json_is(&id, ID), "row %zu: %s", i, rows[i]);
  }
}

static void all_else_is_for_the_host(void **state) {
  static const char *const rows[] = {
      "",
      "null",
      "[]",
      "\"" ID "\"",
      "{}",
      "{\"status\":\"pending\"}",
      "{\"jobId\":\"" ID "\",\"status\":\"succeeded\"}",
      "{\"jobId\":\"" ID "\",\"status\":\"failed\",\"error\":\"x\"}",
      "{\"status\":\"pending\",\"status\":\"failed\",\"jobId\":\"" ID "\"}",
      "{\"jobId\":\"" ID "\",\"status\":\"pending\"",
      "{\"jobId\":\"" ID "\"}{}",
      "{\"jobId\":\"../" ID "\"}",
      "{\"jobId\":\"job\\u005cA\"}",
      "{\"jobId\":\"job\\u00e4\"}",
      "{\"jobId\":\"a\\/..\"}",
      "{\"jobId\":\"a[key]b\"}",
      "{\"jobId\":\"\"}",
      "{\"jobId\":17}",
      "{\"jobId\":\"" LONG_ID "x\"}",
      "{\"job\":{\"jobId\":\"" ID "\"}}",
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    check(!waiting(rows[i]).at, "row %zu: %s", i, rows[i]);
  assert_null(decode_waiting(NULL, 0).at);
}

static void the_longest_id_is_an_id(void **state) {
  JsonPiece id = waiting("{\"jobId\":\"" LONG_ID "\"}");
  (void)state;
  assert_true(json_is(&id, LONG_ID));
}

/* An id may be written with escapes; it is the same id. */
static void an_id_is_what_its_escapes_stand_for(void **state) {
  static const struct {
    const char *answer, *id;
  } rows[] = {{"{\"jobId\":\"a\\/b:c.d\"}", "a/b:c.d"},
              {"\xEF\xBB\xBF{\"jobId\":\"\\u0061\\\"\"}", "a\""}};
  char text[JOB_ID_MAX];
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    JsonPiece id = waiting(rows[i].answer);
    size_t length = id.at ? decode_copy_id(&id, text) : 0;
    check(length == strlen(rows[i].id) && !memcmp(text, rows[i].id, length),
          "row %zu", i);
    id = decode_find_id(rows[i].answer, strlen(rows[i].answer) - 1);
    check(id.at && decode_copy_id(&id, text) == length, "row %zu, cut off", i);
  }
}

static void the_status_is_news_or_not(void **state) {
  static const struct {
    const char *answer;
    DecodedNews news;
  } rows[] = {{"{\"status\":\"pending\"}", NEWS_WAITING},
              {"{\"status\":\"Processing\"}", NEWS_WAITING},
              {"{\"status\":\"succeeded\"}", NEWS_FINAL},
              {"{\"status\":\"COMPLETED\"}", NEWS_FINAL},
              {"{\"status\":\"canceled\"}", NEWS_FINAL},
              {"{\"status\":\"error\"}", NEWS_FINAL},
              {"{\"status\":\"polishing\"}", NEWS_NONE},
              {"{\"status\":null}", NEWS_NONE},
              {"{\"status\":\"failed\"", NEWS_NONE},
              {"", NEWS_NONE}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    check(decode_news(rows[i].answer, strlen(rows[i].answer)) == rows[i].news,
          "row %zu: %s", i, rows[i].answer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_id_of_a_job_that_waits_is_found),
      cmocka_unit_test(all_else_is_for_the_host),
      cmocka_unit_test(the_longest_id_is_an_id),
      cmocka_unit_test(an_id_is_what_its_escapes_stand_for),
      cmocka_unit_test(the_status_is_news_or_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
