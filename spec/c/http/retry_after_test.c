/* Retry-After: seconds, milliseconds, dates, and what is none of them. */
#include "check.h"

#include "engine/http/retry_after.h"
#include "engine/loop/curl_lib.h"

#include <math.h>

/* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW 784111777.0

typedef struct Row {
  const char *text;
  double seconds;
} Row;

static const Row rows[] = {
    {"0", 0},
    {"120", 120},
    {"0.5", 0.5},
    {"2.25", 2.25},
    {".5", 0.5},
    {"3.", 3},
    {"0007", 7},
    {"86399", 86399},
    {"86400", 86400},
    {"86401", 86400},
    {"1000000000000000000000000000000000000000", 86400},
    {"99999999999999999999.9999999999999999999999", 86400},
    {"", -1},
    {" ", -1},
    {".", -1},
    {"-1", -1},
    {"-0", -1},
    {"+5", -1},
    {"5s", -1},
    {"5 5", -1},
    {"1,5", -1},
    {"1.2.3", -1},
    {"1e3", -1},
    {"0x10", -1},
    {"inf", -1},
    {"nan", -1},
    {"soon", -1},
    /* dates */
    {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
    {"Sun, 06 Nov 1994 08:49:38 GMT", 1},
    {"  Sun, 06 Nov 1994 08:50:37 GMT", 60},
    {"Mon, 07 Nov 1994 08:49:37 GMT", 86400},
    {"Mon, 07 Nov 1994 08:49:36 GMT", 86399},
    {"Fri, 31 Dec 9999 23:59:59 GMT", 86400},
    {"Sun, 06 Nov 1994 08:49:36 GMT", 0},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Fri, 31 Dec 1965 23:59:59 GMT", 0},
    {"Sun, 06 Nov 1994 08:49:60 GMT", 23},
    /* in the two older forms, which RFC 9110 wants understood */
    {"Sunday, 06-Nov-94 08:49:47 GMT", 10},
    {"Sun Nov  6 08:49:47 1994", 10},
    /* nearly so */
    {"Sun, 06 Nov 1994 08:49:47", 10},
    {"06 Nov 1994 08:49:47 UTC", 10},
    {"Sun, 06 Nov 1994 08:49:47 -0100", 3610},
    /* neither */
    {"Sun, 06 Nov 1994 08:49:37 GMTX", -1},
    {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 32 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 24:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 08:60:37 GMT", -1},
    {"Sun, 06 Nov 1994 08:49:61 GMT", -1},
    {"Sun, 06 Nox 1994 08:49:37 GMT", -1},
    {"Sun, 06 No 1994 08:49:37 GMT", -1},
    {"Sun, 06 ovD 1994 08:49:37 GMT", -1},
    {"1994-11-06T08:49:37Z", -1},
    {"GMT", -1},
};

static bool is_near(double a, double b) {
  return fabs(a - b) < 1e-6;
}

static int load(void **state) {
  (void)state;
  return curl_lib_load() != NULL;
}

static void seconds_and_dates_are_read(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    double found = retry_after_read(NULL, rows[i].text, NULL, NOW);
    check(is_near(found, rows[i].seconds), "'%s': %f", rows[i].text, found);
  }
}

static void milliseconds_are_read(void **state) {
  static const Row cases[] = {{"0", 0},
                              {"1500", 1.5},
                              {"250.5", 0.2505},
                              {"86400000", 86400},
                              {"86400001", 86400},
                              {"-1", -1},
                              {"", -1},
                              {"1s", -1},
                              {"Sun, 06 Nov 1994 08:49:38 GMT", -1}};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    double found = retry_after_read(cases[i].text, NULL, NULL, NOW);
    check(is_near(found, cases[i].seconds), "'%s': %f", cases[i].text, found);
  }
}

static void milliseconds_come_first(void **state) {
  (void)state;
  assert_true(is_near(retry_after_read("1500", "7", NULL, NOW), 1.5));
  assert_true(is_near(retry_after_read("soon", "7", NULL, NOW), 7));
  assert_true(is_near(retry_after_read(NULL, NULL, NULL, NOW), -1));
}

/* Whatever our clock says. */
static void a_date_is_measured_by_the_answers_own(void **state) {
  static const char then[] = "Sun, 06 Nov 1994 08:49:57 GMT";
  (void)state;
  assert_true(is_near(
      retry_after_read(NULL, then, "Sun, 06 Nov 1994 08:49:37 GMT", NOW + 1e6),
      20));
  assert_true(is_near(retry_after_read(NULL, then, "today", NOW), 20));
  assert_true(is_near(
      retry_after_read(NULL, "7", "Sun, 06 Nov 1994 08:49:37 GMT", 0), 7));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(seconds_and_dates_are_read),
      cmocka_unit_test(milliseconds_are_read),
      cmocka_unit_test(milliseconds_come_first),
      cmocka_unit_test(a_date_is_measured_by_the_answers_own),
  };
  return cmocka_run_group_tests(tests, load, NULL);
}
