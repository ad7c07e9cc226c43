/* What this machine may lack: words, pauses, and the look at it. */
#include "check.h"

#include "engine/base/shortage.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void pauses_grow_up_to_two_seconds(void **state) {
  (void)state;
  for (unsigned n = 1; n < 100; n++) {
    double most = fmin(0.05 * pow(2, n - 1), 2);
    check(fabs(shortage_pause(n, 0) - most / 2) < 1e-9, "the %uth", n);
    check(shortage_pause(n, 0.999) < most, "the %uth is too long", n);
  }
}

static void some_errors_say_what_is_lacking(void **state) {
  static const int lacking[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS};
  static const int others[] = {0, ECONNREFUSED, EACCES, ENETUNREACH, EINTR};
  (void)state;
  for (size_t i = 0; i < COUNT(lacking); i++)
    assert_non_null(shortage_of(lacking[i]));
  for (size_t i = 0; i < COUNT(others); i++)
    assert_null(shortage_of(others[i]));
}

static void a_failure_says_it_by_its_code(void **state) {
  Failure failure = {0};
  (void)state;
  assert_false(shortage_is(&failure));
  failure_set(&failure, "io", "too_many_files", "%s", "x");
  assert_true(shortage_is(&failure));
  failure_set(&failure, "network", "out_of_memory", "%s", "x");
  assert_true(shortage_is(&failure));
  failure_set(&failure, "io", "permission_denied", "%s", "x");
  assert_false(shortage_is(&failure) || shortage_explains(&failure));
  failure_clear(&failure);
}

/* One descriptor is not enough, for an exchange takes more than its socket. */
static void too_few_descriptors_are_seen_and_given_back(void **state) {
  struct rlimit before, few;
  Failure failure = {.kind = "network", .code = "libcurl_unavailable"};
  int next = fcntl(0, F_DUPFD_CLOEXEC, 3);
  (void)state;
  assert_true(next >= 3);
  close(next);
  assert_null(shortage_probe());
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  for (int room = 0; room < 2; room++) {
    few = before;
    few.rlim_cur = (rlim_t)next + (rlim_t)room;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    errno = EDOM;
    check(shortage_probe() == shortage_of(EMFILE), "with room for %d", room);
    assert_int_equal(errno, EDOM);
    assert_true(shortage_explains(&failure));
    assert_string_equal(failure.code, "connect_failed");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  }
  assert_null(shortage_probe());
  assert_int_equal(fcntl(0, F_DUPFD_CLOEXEC, 3), next); /* all are back */
  close(next);
  failure_clear(&failure);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pauses_grow_up_to_two_seconds),
      cmocka_unit_test(some_errors_say_what_is_lacking),
      cmocka_unit_test(a_failure_says_it_by_its_code),
      cmocka_unit_test(too_few_descriptors_are_seen_and_given_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
