/* Whose the sockets of connections are: see sockets.h. */
#include "sockets.h"

#include <stdlib.h>

#define FIRST_ROOM 16

void sockets_add(Sockets *sockets, int fd, uint64_t origin) {
  if (sockets->count == sockets->room) {
    size_t room = sockets->room ? 2 * sockets->room : FIRST_ROOM;
    Socket *list = realloc(sockets->list, room * sizeof *list);
    if (!list)
      return;
    sockets->list = list;
    sockets->room = room;
  }
  sockets->list[sockets->count++] = (Socket){fd, origin};
}

const Socket *sockets_find(const Sockets *sockets, int fd) {
  for (size_t i = 0; i < sockets->count; i++)
    if (sockets->list[i].fd == fd)
      return &sockets->list[i];
  return NULL;
}

void sockets_remove(Sockets *sockets, int fd) {
  const Socket *found = sockets_find(sockets, fd);
  if (found)
    sockets->list[found - sockets->list] = sockets->list[--sockets->count];
}

void sockets_free(Sockets *sockets) {
  free(sockets->list);
  *sockets = (Sockets){0};
}
