/*
 * Connections that are written to past the HTTP library, by a thread here.
 * MHD keeps the connection, suspended, and closes it in the end: it is
 * resumed for that, and its handler must then give MHD_NO. A RawWriter is
 * embedded in the request it belongs to and is listed only while its
 * connection is suspended. raw_writer_hold runs on the server's thread, start
 * and stop on the owner's.
 */
#ifndef GPTIMAGE2_SANDBOX_RAW_WRITER_H
#define GPTIMAGE2_SANDBOX_RAW_WRITER_H

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "sandbox/reply/fault_stream.h"

typedef struct RawWriter {
  struct RawWriter *next;
  struct MHD_Connection *connection;
  int fd;
  FaultStream stream;
  double started; /* on the monotonic clock */
  uint64_t at;    /* bytes written */
  short seen;     /* what poll told of the socket */
} RawWriter;

typedef struct RawWriters {
  pthread_mutex_t lock;
  pthread_t thread;
  RawWriter *first;
  size_t count;
  bool closed;
  int wake[2];         /* a pipe: the list has grown, or it is closed */
  struct pollfd *room; /* the thread's own, for `size` sockets */
  size_t size;
} RawWriters;

/* False: no thread or no memory, and nothing to stop. */
bool raw_writers_start(RawWriters *raw_writers);

/*
 * Suspends the connection and writes the writer's script to it. MHD calls the
 * connection's handler again at the end, or at raw_writers_stop.
 */
void raw_writer_hold(RawWriters *raw_writers, RawWriter *writer,
                     struct MHD_Connection *connection);

/* Ends the connection with a reset, without waiting for MHD to close it. */
void raw_writer_reset(struct MHD_Connection *connection);

/* Resumes every connection and joins the thread. Call before the daemon
 * stops, raw_writers_free after it. */
void raw_writers_stop(RawWriters *raw_writers);
void raw_writers_free(RawWriters *raw_writers);

#endif
