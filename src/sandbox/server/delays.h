/*
 * Connections that wait before they are answered: suspended for some time, or
 * until the end. Owns a thread that resumes them; a Delay is embedded in the
 * request it belongs to and is listed only while its connection is suspended.
 * delays_hold runs on the server's thread, start and stop on the owner's.
 */
#ifndef GPTIMAGE2_SANDBOX_DELAYS_H
#define GPTIMAGE2_SANDBOX_DELAYS_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>

typedef struct Delay {
  struct Delay *next;
  struct MHD_Connection *connection;
  double until; /* on the monotonic clock; INFINITY: until the end */
} Delay;

typedef struct Delays {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  Delay *first;
  bool closed;
} Delays;

/* Seconds on the monotonic clock. */
double delays_clock(void);

/* False: no thread, and nothing to stop. */
bool delays_start(Delays *delays);

/*
 * Suspends the connection for that many seconds; MHD calls its handler again
 * afterwards, and at delays_stop.
 */
void delays_hold(Delays *delays, Delay *delay,
                 struct MHD_Connection *connection, double seconds);

/* Whether delays_stop has begun: then nothing is to be answered any more. */
bool delays_closed(Delays *delays);

/* Resumes every connection and joins the thread. Call before the daemon
 * stops, delays_free after it. */
void delays_stop(Delays *delays);
void delays_free(Delays *delays);

#endif
