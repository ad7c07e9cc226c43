/* What this machine may lack: see shortage.h. */
#include "shortage.h"

#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAUSE_FIRST 0.05 /* seconds */
#define PAUSE_MAX 2.0

/* Descriptors that a connection takes beside its socket, for a moment: for a
 * name that is looked up, for a file of certificates.  When an exchange has
 * failed for the last of them, its socket is free again. */
#define PROBED 4

double shortage_pause(unsigned times, double random) {
  double pause = PAUSE_FIRST;
  while (times-- > 1 && pause < PAUSE_MAX)
    pause *= 2;
  if (pause > PAUSE_MAX)
    pause = PAUSE_MAX;
  return pause / 2 + pause / 2 * random;
}

const char *shortage_of(int error) {
  switch (error) {
  case EMFILE:
    return "this program has as many files and connections open as it may "
           "(EMFILE, see ulimit -n)";
  case ENFILE:
    return "this machine has as many files and connections open as it can "
           "(ENFILE)";
  case ENOMEM:
    return "this machine is out of memory (ENOMEM)";
  case ENOBUFS:
    return "this machine is out of memory for connections (ENOBUFS)";
  default:
    return NULL;
  }
}

const char *shortage_probe(void) {
  int before = errno;
  int fds[PROBED];
  int count = 0;
  int error;
  fds[0] = platform_socket(AF_INET, SOCK_STREAM, 0);
  if (fds[0] < 0 && errno == EAFNOSUPPORT) /* IPv6 alone is there */
    fds[0] = platform_socket(AF_INET6, SOCK_STREAM, 0);
  while (fds[count] >= 0 && ++count < PROBED)
    fds[count] = fcntl(fds[0], F_DUPFD_CLOEXEC, 3);
  error = count < PROBED ? errno : 0;
  while (count > 0)
    close(fds[--count]);
  errno = before;
  return shortage_of(error);
}

bool shortage_is(const Failure *failure) {
  return failure->code && (strcmp(failure->code, "too_many_files") == 0 ||
                           strcmp(failure->code, "out_of_memory") == 0);
}

bool shortage_explains(Failure *failure) {
  const char *lacking = shortage_probe();
  if (lacking)
    failure_set(failure, "network", "connect_failed", "%s", lacking);
  return lacking || shortage_is(failure);
}
