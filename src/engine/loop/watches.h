/*
 * The descriptors that the I/O thread waits for, and the waiting: poll(), which
 * every system has.  There are a few dozen of them at most, and what is changed
 * in the set between two waits costs no call.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_WATCHES_H
#define GPTIMAGE2_ENGINE_WATCHES_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct Watches {
  struct pollfd *list; /* a free entry has a negative descriptor */
  size_t count;        /* entries in use, with free ones between them */
  size_t room;
} Watches;

/* Makes room for so many descriptors, which watches_set needs no memory for
 * then.  False: no memory. */
bool watches_reserve(Watches *watches, size_t count);

/* Watches `fd` for these of POLLIN and POLLOUT from now on; 0 = no longer,
 * which always goes well.  False: no memory. */
bool watches_set(Watches *watches, int fd, short events);

/* Whether `fd` is watched. */
bool watches_has(const Watches *watches, int fd);

/* Waits until there is something to take, for so many milliseconds at most; -1
 * = for ever.  False when nobody looked: there was a signal. */
bool watches_wait(Watches *watches, int milliseconds);

/* The next descriptor from entry `*at` on to which something happened, and what
 * (of POLLIN, POLLOUT, POLLERR, POLLHUP, POLLNVAL); -1 when there is none.  The
 * set may be changed in between: what is new in it has no events yet. */
int watches_take(Watches *watches, size_t *at, short *events);

void watches_empty(Watches *watches);

void watches_free(Watches *watches);

#endif
