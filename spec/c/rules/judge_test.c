/* What the body of an answer says of its job. */
#include "check.h"

#include "engine/rules/judge.h"

#include <stdio.h>
#include <string.h>

#define ID "job_A-1"
#define PICTURE "\"results\":[{\"imageUrl\":\"https://example.com/a.png\"}]"

static const struct {
  const char *members;             /* beside the id */
  BodySays create, poll, nameless; /* of a poll that has no id */
} rows[] = {
    {"\"status\":\"pending\"", SAYS_WAITING, SAYS_WAITING, SAYS_WAITING},
    {"\"status\":\"RUNNING\"", SAYS_WAITING, SAYS_WAITING, SAYS_WAITING},
    {"\"status\":\"queued\"", SAYS_WAITING, SAYS_WAITING, SAYS_WAITING},
    {"\"status\":\"succeeded\"," PICTURE, SAYS_SUCCEEDED, SAYS_SUCCEEDED,
     SAYS_SUCCEEDED},
    {"\"status\":\"completed\"," PICTURE, SAYS_SUCCEEDED, SAYS_SUCCEEDED,
     SAYS_SUCCEEDED},
    {"\"status\":\"succeeded\"", SAYS_EMPTY, SAYS_EMPTY, SAYS_EMPTY},
    {"\"status\":\"succeeded\",\"results\":[{}]", SAYS_EMPTY, SAYS_EMPTY,
     SAYS_EMPTY},
    {"\"status\":\"failed\"", SAYS_FAILED, SAYS_FAILED, SAYS_FAILED},
    {"\"status\":\"expired\"", SAYS_FAILED, SAYS_FAILED, SAYS_FAILED},
    {"\"status\":\"error\"", SAYS_FAILED, SAYS_FAILED, SAYS_TROUBLE},
    {"\"status\":\"failure\"", SAYS_FAILED, SAYS_FAILED, SAYS_TROUBLE},
    {"\"status\":\"polishing\"", SAYS_STRANGE, SAYS_STRANGE, SAYS_STRANGE},
    {"\"status\":null", SAYS_NOTHING, SAYS_NOTHING, SAYS_NOTHING},
    {"\"status\":\"\"", SAYS_NOTHING, SAYS_NOTHING, SAYS_NOTHING},
    {PICTURE, SAYS_NOTHING, SAYS_NOTHING, SAYS_NOTHING}};

static Judged judge(bool created, const char *body) {
  static ApiReply reply;
  return created ? judge_create(&reply, body, strlen(body))
                 : judge_poll(&reply, body, strlen(body), ID);
}

static void a_status_says_what_it_says(void **state) {
  char body[256];
  Judged judged;
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    snprintf(body, sizeof body, "{\"jobId\":\"" ID "\",%s}", rows[i].members);
    judged = judge(true, body);
    check(judged.says == rows[i].create, "row %zu, create: %d", i, judged.says);
    check(judged.readable && json_is(&judged.id, ID), "row %zu: id", i);
    judged = judge(false, body);
    check(judged.says == rows[i].poll, "row %zu, poll: %d", i, judged.says);
    snprintf(body, sizeof body, "{%s}", rows[i].members);
    judged = judge(false, body);
    check(judged.says == rows[i].nameless, "row %zu, nameless", i);
    check(!judge(true, body).id.at, "row %zu: no id", i);
  }
}

static void an_answer_for_another_job_says_nothing(void **state) {
  char body[256];
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Judged judged;
    snprintf(body, sizeof body, "{%s,\"jobId\":\"" ID "x\"}", rows[i].members);
    judged = judge(false, body);
    check(judged.readable && judged.says == SAYS_NOTHING, "row %zu", i);
    check(!judge_vouches(&judged), "row %zu", i);
  }
}

static void an_id_with_escapes_is_the_same_id(void **state) {
  (void)state;
  assert_int_equal(
      judge(false, "{\"jobId\":\"job_\\u0041-1\",\"status\":\"pending\"}").says,
      SAYS_WAITING);
}

static void half_an_answer_says_nothing(void **state) {
  static const char whole[] =
      "{\"jobId\":\"" ID "\",\"status\":\"succeeded\"," PICTURE "}";
  char body[sizeof whole];
  (void)state;
  for (size_t length = 0; length + 1 < sizeof whole; length++) {
    Judged created, polled;
    memcpy(body, whole, length);
    body[length] = '\0';
    created = judge(true, body);
    polled = judge(false, body);
    check(!created.readable && created.says == SAYS_NOTHING, "%zu", length);
    check((created.id.at != NULL) == (length >= sizeof "{\"jobId\":\"" ID),
          "%zu: id", length);
    check(!polled.readable && polled.says == SAYS_NOTHING, "%zu", length);
  }
  assert_int_equal(judge(true, whole).says, SAYS_SUCCEEDED);
  assert_false(judge(false, "[]").readable);
}

/* Not of what may be of this answer alone. */
static void what_tells_of_the_job_vouches_for_its_id(void **state) {
  (void)state;
  for (BodySays says = SAYS_NOTHING; says <= SAYS_FAILED; says++) {
    Judged judged = {.says = says};
    assert_int_equal(judge_vouches(&judged),
                     says != SAYS_NOTHING && says != SAYS_TROUBLE);
  }
}

static void only_a_failure_is_refunded(void **state) {
  static const struct {
    ApiWord word;
    bool twice, paid;
    const char *charged;
  } cases[] = {{WORD_DOCUMENTED, false, false, "refund_expected"},
               {WORD_DOCUMENTED, false, true, "refund_expected"},
               {WORD_ENDED, false, false, "unknown"},
               {WORD_TROUBLE, false, false, "unknown"},
               {WORD_DOCUMENTED, true, false, "unknown"},
               {WORD_DOCUMENTED, true, true, "yes"},
               {WORD_ENDED, true, true, "yes"}};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    ApiReply reply = {.status = API_FAILED, .word = cases[i].word};
    assert_string_equal(
        judge_charged_of_failure(&reply, cases[i].twice, cases[i].paid),
        cases[i].charged);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_status_says_what_it_says),
      cmocka_unit_test(an_answer_for_another_job_says_nothing),
      cmocka_unit_test(an_id_with_escapes_is_the_same_id),
      cmocka_unit_test(half_an_answer_says_nothing),
      cmocka_unit_test(what_tells_of_the_job_vouches_for_its_id),
      cmocka_unit_test(only_a_failure_is_refunded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
