/*
 * Whose the sockets of libcurl's connections are, idle ones included: of which
 * origin, as the caller numbers them; 0 = any.  A few hundred at most.  I/O
 * thread only.
 */
#ifndef GPTIMAGE2_ENGINE_SOCKETS_H
#define GPTIMAGE2_ENGINE_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Socket {
  int fd;
  uint64_t origin;
} Socket;

typedef struct Sockets {
  Socket *list;
  size_t count;
  size_t room;
} Sockets;

/* Without memory it is not in the list. */
void sockets_add(Sockets *sockets, int fd, uint64_t origin);

/* Nothing happens when it is not in the list. */
void sockets_remove(Sockets *sockets, int fd);

/* The entry of `fd`; NULL = it is no connection, or had no memory. */
const Socket *sockets_find(const Sockets *sockets, int fd);

void sockets_free(Sockets *sockets);

#endif
