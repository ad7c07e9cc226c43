/*
 * A process beside the test's own, which lives until it is told to end.
 */
#ifndef GPTIMAGE2_C_CHILD_H
#define GPTIMAGE2_C_CHILD_H

#include "check.h"

#include <errno.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that lives until `pipe_fds[1]` is closed here, once it has said what
 * `run` gave.  Not inlined: what the caller holds is on the stack then, where
 * who looks for leaks finds it in the child, too. */
__attribute__((noinline)) static pid_t
start_child(bool (*run)(void), int pipe_fds[2], bool *result) {
  int said[2];
  char byte;
  pid_t child;
  assert_int_equal(pipe(said), 0);
  assert_int_equal(pipe(pipe_fds), 0);
  child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    close(pipe_fds[1]);
    byte = run() ? 'y' : 'n';
    if (write(said[1], &byte, 1) == 1)
      while (read(pipe_fds[0], &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
  }
  close(said[1]);
  close(pipe_fds[0]);
  assert_int_equal(read(said[0], &byte, 1), 1);
  close(said[0]);
  *result = byte == 'y';
  return child;
}

static inline void end_child(pid_t child, int pipe_fds[2]) {
  int status;
  close(pipe_fds[1]);
  while (waitpid(child, &status, 0) < 0)
    assert_int_equal(errno, EINTR);
  assert_int_equal(status, 0);
}

#endif
