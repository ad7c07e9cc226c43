/* The ways of systems: whatever is taken here, it keeps its word. */
#include "check.h"

#include "engine/base/clock.h"
#include "engine/base/platform.h"
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_inherited(int fd) {
  return !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void a_pipe_neither_blocks_nor_is_inherited(void **state) {
  char bytes[2];
  int fds[2];
  (void)state;
  assert_true(platform_pipe(fds));
  for (int i = 0; i < 2; i++) {
    assert_false(is_inherited(fds[i]));
    assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
  }
  assert_int_equal(read(fds[0], bytes, sizeof bytes), -1);
  assert_int_equal(errno, EAGAIN);
  assert_int_equal(write(fds[1], "ab", 2), 2);
  assert_int_equal(read(fds[0], bytes, sizeof bytes), 2);
  close(fds[0]);
  close(fds[1]);
}

static void a_socket_is_not_inherited(void **state) {
  int fd = platform_socket(AF_INET, SOCK_STREAM, 0);
  (void)state;
  assert_true(fd >= 0);
  assert_false(is_inherited(fd));
  assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
  assert_true(platform_never_block(fd));
  assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
  close(fd);
  assert_int_equal(platform_socket(-1, SOCK_STREAM, 0), -1);
}

static void a_peer_that_has_gone_raises_no_signal(void **state) {
  int fds[2];
  (void)state;
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  close(fds[1]);
  assert_int_equal(send(fds[0], "x", 1, platform_send_flags(fds[0])), -1);
  assert_int_equal(errno, EPIPE);
  close(fds[0]);
}

static void random_bytes_differ(void **state) {
  unsigned char a[32] = {0}, b[32] = {0};
  (void)state;
  assert_true(platform_random(a, sizeof a));
  assert_true(platform_random(b, sizeof b));
  assert_memory_not_equal(a, b, sizeof a);
}

static void what_is_wiped_is_gone(void **state) {
  char secret[] = "secret";
  static const char nothing[sizeof secret];
  (void)state;
  platform_wipe(secret, sizeof secret);
  assert_memory_equal(secret, nothing, sizeof secret);
}

static void bytes_are_found_where_they_begin(void **state) {
  static const struct {
    const char *bytes, *wanted;
    int at;
  } rows[] = {{"abc", "abc", 0},  {"abc", "c", 2},      {"abc", "d", -1},
              {"aab", "ab", 1},   {"aaab", "aab", 1},   {"ab", "abc", -1},
              {"", "a", -1},      {"abc", "", 0},       {"", "", 0},
              {"abab", "bab", 1}, {"ababab", "bc", -1}, {"xkey", "key", 1}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    const char *from = rows[i].bytes;
    const char *found = platform_find(from, strlen(from), rows[i].wanted,
                                      strlen(rows[i].wanted));
    check((found ? (int)(found - from) : -1) == rows[i].at, "'%s' in '%s'",
          rows[i].wanted, from);
  }
  assert_non_null(platform_find("a\0b", 3, "\0b", 2));
  assert_null(platform_find("a\0b", 2, "\0b", 2));
}

static void a_wait_ends_in_time(void **state) {
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t never;
  double until = clock_monotonic() + 0.05;
  (void)state;
  platform_condition_init(&never);
  pthread_mutex_lock(&lock);
  while (clock_monotonic() < until)
    platform_wait_until(&never, &lock, until);
  pthread_mutex_unlock(&lock);
  assert_true(clock_monotonic() < until + 5);
  pthread_cond_destroy(&never);
}

static void a_rename_replaces_nothing(void **state) {
  Folder folder;
  char a[PATH_MAX], b[PATH_MAX];
  (void)state;
  folder_make(&folder);
  file_put(folder_path(&folder, "a", a), "a");
  file_put(folder_path(&folder, "b", b), "b");
  assert_int_equal(platform_rename_new(AT_FDCWD, a, b), -1);
  assert_true(errno == EEXIST || errno == ENOSYS || errno == EINVAL);
  assert_true(file_holds(b, "b"));
  assert_true(file_holds(a, "a"));
  folder_remove(&folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_pipe_neither_blocks_nor_is_inherited),
      cmocka_unit_test(a_socket_is_not_inherited),
      cmocka_unit_test(a_peer_that_has_gone_raises_no_signal),
      cmocka_unit_test(random_bytes_differ),
      cmocka_unit_test(what_is_wiped_is_gone),
      cmocka_unit_test(bytes_are_found_where_they_begin),
      cmocka_unit_test(a_wait_ends_in_time),
      cmocka_unit_test(a_rename_replaces_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
