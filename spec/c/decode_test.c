/* What a reply means for a job: the part of it that the I/O thread reads. */
#include "check.h"

#include "engine/decode.h"

#include <string.h>

#define ID "job_A-1"
#define LONG_ID                                                                \
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
      "{\"jobId\":\"job\\u005fA\"}",
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_id_of_a_job_that_waits_is_found),
      cmocka_unit_test(all_else_is_for_the_host),
      cmocka_unit_test(the_longest_id_is_an_id),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
