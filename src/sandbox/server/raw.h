/*
 * Connections that are written to past the HTTP library, by a thread here.
 * MHD keeps the connection, suspended, and closes it in the end: it is
 * resumed for that, and its handler must then give MHD_NO. A RawWriter is
 * embedded in the request it belongs to and is listed only while its
 * connection is suspended. raw_hold runs on the server's thread, start and
 * stop on the owner's.
 */
#ifndef GPTIMAGE2_SANDBOX_RAW_H
#define GPTIMAGE2_SANDBOX_RAW_H

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "sandbox/reply/script.h"

typedef struct RawWriter {
  struct RawWriter *next;
  struct MHD_Connection *connection;
  int fd;
  Script script;
  double started; /* on the monotonic clock */
  uint64_t at;    /* bytes written */
  short seen;     /* what poll told of the socket */
} RawWriter;

typedef struct Raw {
  pthread_mutex_t lock;
  pthread_t thread;
  RawWriter *first;
  size_t count;
  bool closed;
  int wake;            /* an eventfd: the list has grown, or it is closed */
  struct pollfd *room; /* the thread's own, for `size` sockets */
  size_t size;
} Raw;

/* False: no thread or no memory, and nothing to stop. */
bool raw_start(Raw *raw);

/*
 * Suspends the connection and writes the writer's script to it. MHD calls the
 * connection's handler again at the end, or at raw_stop.
 */
void raw_hold(Raw *raw, RawWriter *writer, struct MHD_Connection *connection);

/* Ends the connection with a reset, without waiting for MHD to close it. */
void raw_reset(struct MHD_Connection *connection);

/* Resumes every connection and joins the thread. Call before the daemon
 * stops, raw_free after it. */
void raw_stop(Raw *raw);
void raw_free(Raw *raw);

#endif
