/*
 * A ledger's lock that keeps nobody out, by LD_PRELOAD: both processes that
 * race_spec.lua lets spend on one ledger get it.  It is known by its place, the
 * byte 0x60000000, and the whole of the old one's file; the locks of SQLite are
 * others and stay real.  And each connection is a while in coming: the other
 * one takes the row as well before it is asked who may send.
 */
#undef _FILE_OFFSET_BITS /* it would make the one name the other */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SPENDER 0x60000000

int fcntl64(int fd, int command, ...);

static bool is_ledger_lock(int command, const struct flock *lock) {
  if (command != F_OFD_SETLK && command != F_SETLK)
    return false;
  return lock->l_start == SPENDER || (lock->l_start == 0 && lock->l_len == 0);
}

static int control(int fd, int command, void *argument) {
  if (is_ledger_lock(command, argument))
    return 0;
  return (int)syscall(SYS_fcntl, fd, command, argument);
}

__attribute__((visibility("default"))) int fcntl(int fd, int command, ...) {
  va_list arguments;
  void *argument;
  va_start(arguments, command);
  argument = va_arg(arguments, void *);
  va_end(arguments);
  return control(fd, command, argument);
}

__attribute__((visibility("default"))) int fcntl64(int fd, int command, ...) {
  va_list arguments;
  void *argument;
  va_start(arguments, command);
  argument = va_arg(arguments, void *);
  va_end(arguments);
  return control(fd, command, argument);
}

__attribute__((visibility("default"))) int
connect(int fd, const struct sockaddr *address, socklen_t length) {
  const struct timespec pause = {.tv_nsec = 4000000};
  nanosleep(&pause, NULL);
  return (int)syscall(SYS_connect, fd, address, length);
}
