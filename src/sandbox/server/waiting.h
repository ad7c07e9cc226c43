/*
 * Connections that wait before they are answered: suspended for some time, or
 * until the end. Owns a thread that resumes them; a Waiter is embedded in the
 * request it belongs to and is listed only while its connection is suspended.
 * waiting_hold runs on the server's thread, start and stop on the owner's.
 */
#ifndef GPTIMAGE2_SANDBOX_WAITING_H
#define GPTIMAGE2_SANDBOX_WAITING_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>

typedef struct Waiter {
  struct Waiter *next;
  struct MHD_Connection *connection;
  double until; /* on the monotonic clock; INFINITY: until the end */
} Waiter;

typedef struct Waiting {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  Waiter *first;
  bool closed;
} Waiting;

/* Seconds on the monotonic clock. */
double waiting_clock(void);

/* False: no thread, and nothing to stop. */
bool waiting_start(Waiting *waiting);

/*
 * Suspends the connection for that many seconds; MHD calls its handler again
 * afterwards, and at waiting_stop.
 */
void waiting_hold(Waiting *waiting, Waiter *waiter,
                  struct MHD_Connection *connection, double seconds);

/* Whether waiting_stop has begun: then nothing is to be answered any more. */
bool waiting_closed(Waiting *waiting);

/* Resumes every connection and joins the thread. Call before the daemon
 * stops, waiting_free after it. */
void waiting_stop(Waiting *waiting);
void waiting_free(Waiting *waiting);

#endif
