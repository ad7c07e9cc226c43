/* What is read of a reply. */
#include "check.h"

#include "engine/base/url.h"
#include "engine/rules/api_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "job_A-1"
#define LONG_ID                                                                \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"           \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"           \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"           \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* The id of an answer that is whole. */
static JsonPiece id_in(const char *answer) {
  ApiReply reply;
  if (!api_reply_read(&reply, answer, strlen(answer)))
    return (JsonPiece){0};
  return reply.id;
}

static void the_id_of_a_job_is_found(void **state) {
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
    JsonPiece id = id_in(rows[i]);
    check(json_is(&id, ID), "row %zu: %s", i, rows[i]);
  }
}

static void what_is_no_id_is_none(void **state) {
  static const char *const rows[] = {
      "",
      "null",
      "[]",
      "\"" ID "\"",
      "{}",
      "{\"status\":\"pending\"}",
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
    check(!id_in(rows[i]).at, "row %zu: %s", i, rows[i]);
}

static void the_longest_id_is_an_id(void **state) {
  JsonPiece id = id_in("{\"jobId\":\"" LONG_ID "\"}");
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
    JsonPiece id = id_in(rows[i].answer);
    size_t length = id.at ? api_reply_copy_id(&id, text) : 0;
    check(length == strlen(rows[i].id) && !memcmp(text, rows[i].id, length),
          "row %zu", i);
    id = api_reply_job_id(rows[i].answer, strlen(rows[i].answer) - 1);
    check(id.at && api_reply_copy_id(&id, text) == length, "row %zu, cut off",
          i);
  }
}

/* However much of the answer came: with the quote behind the id it is whole. */
static void the_beginning_of_an_answer_has_its_id(void **state) {
  static const char answer[] =
      "{\"status\":\"pending\",\"jobId\":\"id-1\",\"balance\":{\"a\\u0041\":"
      "[-1.5e+3,true,null,\"x\"]},\"n\":12}";
  size_t whole = (size_t)(strstr(answer, "id-1\"") - answer) + 5;
  (void)state;
  for (size_t length = 0; length < sizeof answer; length++) {
    char *copy = malloc(length ? length : 1); /* with nothing behind it */
    JsonPiece id;
    assert_non_null(copy);
    memcpy(copy, answer, length);
    id = api_reply_job_id(copy, length);
    check(json_is(&id, "id-1") == (length >= whole), "%zu bytes", length);
    free(copy);
  }
}

/* That is no beginning of anything. */
static void an_answer_that_goes_wrong_has_no_id(void **state) {
  static const char *const ends[] = {
      "}}",          "]",         ",,",        ",\"n\":tru}",
      ",\"n\":1.}",  ",\"n\" 1}", ",n:1",      ",\"n\":\"\\x\"",
      ",\"n\":[1,]", "\"x\"",     ",\"n\":[}", ",1:2}",
      "<p>",         ",\"n\":-,"};
  (void)state;
  for (size_t i = 0; i < COUNT(ends); i++) {
    char text[64];
    int length = snprintf(text, sizeof text, "{\"jobId\":\"a\"%s", ends[i]);
    check(!api_reply_job_id(text, (size_t)length).at, "%s", text);
  }
  assert_null(api_reply_job_id("[\"jobId\",\"a\"", 12).at);
  assert_null(api_reply_job_id("{\"x\":{\"jobId\":\"a\"", 17).at);
  assert_null(api_reply_job_id("{\"jobId\":\"a\"\0", 13).at);
  assert_null(api_reply_job_id(NULL, 0).at);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_id_of_a_job_is_found),
      cmocka_unit_test(what_is_no_id_is_none),
      cmocka_unit_test(the_longest_id_is_an_id),
      cmocka_unit_test(an_id_is_what_its_escapes_stand_for),
      cmocka_unit_test(the_beginning_of_an_answer_has_its_id),
      cmocka_unit_test(an_answer_that_goes_wrong_has_no_id),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
