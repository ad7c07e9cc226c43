/* Writing over a limit on file sizes does not end the program. */
#include "check.h"

#include "engine/files/file_limit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_pending(void) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGXFSZ) == 1;
}

/* The errno of a write that the limit forbids. */
static int write_too_much(void) {
  char name[] = "/tmp/gptimage2-XXXXXX";
  const struct rlimit limit = {0, 0};
  int fd = mkstemp(name);
  int error;
  unlink(name);
  setrlimit(RLIMIT_FSIZE, &limit);
  error = write(fd, "x", 1) == 1 ? 0 : errno;
  close(fd);
  return error;
}

/* What the child that runs `part` ended by: 0 when it found all well. */
static int in_a_child(bool (*part)(void)) {
  int status = 0;
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    signal(SIGXFSZ, SIG_DFL);
    _exit(part() ? 0 : 1);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return status;
}

static bool plain(void) {
  write_too_much();
  return true;
}

static bool guarded(void) {
  FileLimit limit;
  int error;
  file_limit_hold(&limit);
  error = write_too_much();
  errno = EDOM;
  file_limit_release(&limit);
  return error == EFBIG && errno == EDOM && !is_pending();
}

static bool with_one_of_the_hosts(void) {
  FileLimit limit;
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, SIGXFSZ);
  sigprocmask(SIG_BLOCK, &only, NULL);
  raise(SIGXFSZ);
  file_limit_hold(&limit);
  write_too_much();
  file_limit_release(&limit);
  return is_pending();
}

static void a_write_over_the_limit_fails_and_no_more(void **state) {
  (void)state;
  assert_true(WIFSIGNALED(in_a_child(plain))); /* what it would do */
  assert_int_equal(in_a_child(guarded), 0);
}

static void a_signal_of_the_hosts_stays(void **state) {
  (void)state;
  assert_int_equal(in_a_child(with_one_of_the_hosts), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_write_over_the_limit_fails_and_no_more),
      cmocka_unit_test(a_signal_of_the_hosts_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
