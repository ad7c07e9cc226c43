/*
 * Preloaded by references_spec.lua: what is meant for 8.8.8.8 goes to this
 * machine, so that a "public" host can be had without a network.  Everything
 * else is connected to as it is.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int connect(int fd, const struct sockaddr *address, socklen_t length) {
  struct sockaddr_in v4;
  if (address->sa_family == AF_INET && length >= sizeof v4) {
    memcpy(&v4, address, sizeof v4);
    if (ntohl(v4.sin_addr.s_addr) == 0x08080808) {
      v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      return (int)syscall(SYS_connect, fd, &v4, sizeof v4);
    }
  }
  return (int)syscall(SYS_connect, fd, address, length);
}
