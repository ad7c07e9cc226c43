/*
 * The I/O thread's event loop: what it waits for, one timer heap, one
 * libcurl multi handle that tells which sockets to watch.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_LOOP_H
#define GPTIMAGE2_ENGINE_LOOP_H

#include "curl_lib.h"
#include "engine/base/queue.h"
#include "heap.h"
#include "sockets.h"
#include "watches.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct Loop {
  int wake_fd;
  Watches watches;
  Sockets sockets; /* of all connections */
  Watches idle;    /* of those that wait for nothing */
  CURLM *multi;    /* NULL until the first exchange */
  double curl_at;  /* when libcurl wants to be called; INFINITY = it does not */
  CURLMsg *message; /* read from libcurl, not yet given out; or NULL */
  Heap heap;
  Heap limits;        /* http_limits.c's: when an exchange has had its time */
  double read_at;     /* all that had arrived by then was given to libcurl */
  double seen_at;     /* the last look at the clock in loop_wait; 0 = none */
  double asleep;      /* http_limits.c's: seconds that this machine slept */
  double stale_until; /* until then kept connections may be dead */
  /* The thread was held up for so many seconds, the process stopped perhaps:
   * limits of time that passed meanwhile passed unseen.  NULL = nobody asks. */
  void (*on_delay)(struct Loop *loop, double now, double seconds);
  Queue running; /* http.c's: all exchanges that are in the multi handle */
  size_t running_count;
  unsigned fetch_count; /* of them: no exchanges with services */
  unsigned places;      /* connections for exchanges with services, 0 = any */
  unsigned bound;       /* what libcurl was told of connections */
  bool broken;          /* the multi handle had no memory: http_give_up */
} Loop;

/* Watches `wake_fd`: loop_wait returns when it is readable.  False: no memory.
 */
bool loop_open(Loop *loop, int wake_fd);

/* Every exchange must have been removed before. */
void loop_close(Loop *loop);

/* Starts libcurl where that has not happened yet.  NULL, or what went wrong
 * (static text). */
const char *loop_start_curl(Loop *loop);

/* Room for the sockets of so many exchanges.  False: no memory. */
bool loop_reserve(Loop *loop, size_t exchanges);

/* libcurl keeps no more connections, idle ones included, than `places` and one
 * for each of `fetches` other exchanges.  Each exchange that begins finds one
 * or may make one: none waits inside of libcurl, as long as those with services
 * are not more than the places. */
void loop_bound_connections(Loop *loop, unsigned fetches);

/* Lets go of the multi handle; the next exchange makes a new one.  Every
 * exchange must have been removed before. */
void loop_stop_curl(Loop *loop);

/* Lets libcurl send what was added, waits until a socket, the wake descriptor
 * or a timer is due, or until `until` (monotonic seconds, may be infinite), and
 * lets libcurl work.  Finished exchanges are then found with loop_finished. */
void loop_wait(Loop *loop, double until);

/* libcurl has a new connection, with the socket `fd`, and will call
 * loop_closing before it closes it.  `origin`: of the service that it is for; 0
 * = it may be any. */
void loop_opened(Loop *loop, int fd, uint64_t origin);

/* Whether a server has closed an idle connection that may be to this origin, as
 * far as is known here.  Newer libcurls (8.23) may send a request over it all
 * the same; others find it within a second, when they begin something. */
bool loop_has_dead(Loop *loop, uint64_t origin);

/* The socket `fd` is about to be closed. */
void loop_closing(Loop *loop, int fd);

/* The next easy handle that is done, with its result; NULL when there is none.
 * The handle is out of the multi handle then. */
CURL *loop_finished(Loop *loop, CURLcode *result);

/* The next timer that is due, out of the heap; or NULL. */
Timer *loop_due(Loop *loop, double now);

#endif
