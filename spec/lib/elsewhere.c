/*
 * Preloaded by references_spec.lua and fetch_spec.lua: what is meant
 * for 8.8.8.8 goes to this machine, so that a "public" host can be had without
 * a network, and seems to be there.  Everything else is connected to as it is.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SOCKETS 1024

static bool elsewhere[SOCKETS]; /* by descriptor */

int connect(int fd, const struct sockaddr *address, socklen_t length) {
  struct sockaddr_in v4;
  if (fd >= 0 && fd < SOCKETS)
    elsewhere[fd] = false;
  if (address->sa_family == AF_INET && length >= sizeof v4) {
    memcpy(&v4, address, sizeof v4);
    if (ntohl(v4.sin_addr.s_addr) == 0x08080808) {
      v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (fd >= 0 && fd < SOCKETS)
        elsewhere[fd] = true;
      return (int)syscall(SYS_connect, fd, &v4, sizeof v4);
    }
  }
  return (int)syscall(SYS_connect, fd, address, length);
}

int getpeername(int fd, struct sockaddr *address, socklen_t *length) {
  int result = (int)syscall(SYS_getpeername, fd, address, length);
  struct sockaddr_in v4;
  if (result == 0 && fd >= 0 && fd < SOCKETS && elsewhere[fd] &&
      *length >= sizeof v4) {
    memcpy(&v4, address, sizeof v4);
    v4.sin_addr.s_addr = htonl(0x08080808);
    memcpy(address, &v4, sizeof v4);
  }
  return result;
}
