/*
 * The I/O thread's event loop: one epoll set, one timer heap, one libcurl
 * multi handle that tells which sockets to watch.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_LOOP_H
#define GPTIMAGE2_ENGINE_LOOP_H

#include "curl_lib.h"
#include "engine/base/queue.h"
#include "heap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A connection's socket. */
typedef struct Watch {
  bool ours;       /* open, and closed by loop_closing only */
  uint32_t wanted; /* the epoll events libcurl asks for, 0 = none */
  uint32_t set;    /* the epoll events the system was told, 0 = none */
} Watch;

typedef struct Loop {
  int epoll;
  CURLM *multi;   /* NULL until the first exchange */
  double curl_at; /* when libcurl wants to be called; INFINITY = it does not */
  CURLMsg *message; /* read from libcurl, not yet given out; or NULL */
  Watch *watches;   /* by descriptor */
  size_t watch_count;
  size_t open_count; /* connections */
  Heap heap;
  Heap limits;        /* http_limits.c's: when an exchange has had its time */
  double read_at;     /* all that had arrived by then was given to libcurl */
  double round_at;    /* when the first of several rounds for that began */
  unsigned rounds;    /* so far */
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

/* Watches `wake_fd`: loop_wait returns when it is readable.  False when the
 * system gives no descriptor. */
bool loop_open(Loop *loop, int wake_fd);

/* Every exchange must have been removed before. */
void loop_close(Loop *loop);

/* Starts libcurl where that has not happened yet.  NULL, or what went wrong
 * (static text). */
const char *loop_start_curl(Loop *loop);

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

/* libcurl has opened the socket `fd` for a connection, and will call
 * loop_closing before it closes it. */
void loop_opened(Loop *loop, int fd);

/* The socket `fd` is about to be closed. */
void loop_closing(Loop *loop, int fd);

/* The next easy handle that is done, with its result; NULL when there is none.
 * The handle is out of the multi handle then. */
CURL *loop_finished(Loop *loop, CURLcode *result);

/* The next timer that is due, out of the heap; or NULL. */
Timer *loop_due(Loop *loop, double now);

#endif
