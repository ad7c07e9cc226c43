/* The descriptors that the I/O thread waits for: see watches.h. */
#include "watches.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_ROOM 16
#define FREE (-1)

bool watches_reserve(Watches *watches, size_t count) {
  size_t room = watches->room ? watches->room : FIRST_ROOM;
  struct pollfd *list;
  if (count <= watches->room)
    return true;
  while (room < count)
    room *= 2;
  list = realloc(watches->list, room * sizeof *list);
  if (!list)
    return false;
  watches->list = list;
  watches->room = room;
  return true;
}

/* The entry of `fd`, which may be FREE; NULL when there is none. */
static struct pollfd *find(const Watches *watches, int fd) {
  for (size_t i = 0; i < watches->count; i++)
    if (watches->list[i].fd == fd)
      return &watches->list[i];
  return NULL;
}

bool watches_has(const Watches *watches, int fd) {
  return find(watches, fd) != NULL;
}

/* A free entry; NULL without memory. */
static struct pollfd *add(Watches *watches) {
  struct pollfd *entry = find(watches, FREE);
  if (entry)
    return entry;
  if (!watches_reserve(watches, watches->count + 1))
    return NULL;
  return &watches->list[watches->count++];
}

/* Entries stay where they are: watches_take may be among them. */
bool watches_set(Watches *watches, int fd, short events) {
  struct pollfd *entry = find(watches, fd);
  if (!events) {
    if (entry)
      *entry = (struct pollfd){.fd = FREE};
    return true;
  }
  if (entry) {
    entry->events = events;
    return true;
  }
  entry = add(watches);
  if (!entry)
    return false;
  *entry = (struct pollfd){.fd = fd, .events = events};
  return true;
}

/* No more entries than a program may have descriptors. */
static void trim(Watches *watches) {
  while (watches->count > 0 && watches->list[watches->count - 1].fd == FREE)
    watches->count--;
}

bool watches_wait(Watches *watches, int milliseconds) {
  trim(watches);
  if (poll(watches->list, (nfds_t)watches->count, milliseconds) >= 0)
    return true;
  for (size_t i = 0; i < watches->count; i++)
    watches->list[i].revents = 0;
  if (errno != EINTR) /* no memory: rather late than again and again */
    poll(NULL, 0, 1);
  return false;
}

int watches_take(Watches *watches, size_t *at, short *events) {
  while (*at < watches->count) {
    struct pollfd *entry = &watches->list[(*at)++];
    if (entry->fd == FREE || !entry->revents)
      continue;
    *events = entry->revents;
    entry->revents = 0;
    return entry->fd;
  }
  return -1;
}

void watches_empty(Watches *watches) {
  watches->count = 0;
}

void watches_free(Watches *watches) {
  free(watches->list);
  *watches = (Watches){0};
}
