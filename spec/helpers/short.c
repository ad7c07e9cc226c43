/*
 * A machine that lacks something, by LD_PRELOAD: while the file named by
 * SHORT_WHILE is there, connect() (SHORT=port) or socket() (SHORT=memory) fails
 * for streams as if there were no port, or no memory for it.  Runs on whatever
 * thread calls it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int Connect(int fd, const struct sockaddr *to, socklen_t length);
typedef int Socket(int domain, int type, int protocol);

static Connect *real_connect;
static Socket *real_socket;

__attribute__((constructor)) static void find_real(void) {
  void *found = dlsym(RTLD_NEXT, "connect");
  memcpy(&real_connect, &found, sizeof real_connect);
  found = dlsym(RTLD_NEXT, "socket");
  memcpy(&real_socket, &found, sizeof real_socket);
}

static bool is_short_of(const char *what) {
  const char *lacking = getenv("SHORT");
  const char *file = getenv("SHORT_WHILE");
  int before = errno;
  bool is =
      lacking && file && strcmp(lacking, what) == 0 && access(file, F_OK) == 0;
  errno = before;
  return is;
}

__attribute__((visibility("default"))) int
connect(int fd, const struct sockaddr *to, socklen_t length) {
  int type = 0;
  socklen_t size = sizeof type;
  getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
  if (type != SOCK_STREAM || to->sa_family == AF_UNIX || !is_short_of("port"))
    return real_connect(fd, to, length);
  errno = EADDRNOTAVAIL;
  return -1;
}

__attribute__((visibility("default"))) int socket(int domain, int type,
                                                  int protocol) {
  if (domain == AF_UNIX || !(type & SOCK_STREAM) || !is_short_of("memory"))
    return real_socket(domain, type, protocol);
  errno = ENOBUFS;
  return -1;
}
