/*
 * Connections that are written to past the HTTP library. The thread here
 * polls their sockets. A writer is unlisted before its connection is resumed,
 * since its memory may be gone right after; and no connection is suspended or
 * resumed under the lock, since MHD has locks of its own.
 */
#include "raw_writer.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "delays.h"
#include "engine/base/platform.h"

/* What tells that the peer goes: Linux has an event for it.  Elsewhere what
 * comes in is read to its end; nobody wants it, for the connection ends with
 * this answer. */
#if defined(POLLRDHUP) && !defined(GPTIMAGE2_POSIX)
#define PEER_GOES POLLRDHUP
static bool has_gone(const RawWriter *writer) {
  return (writer->seen & POLLRDHUP) != 0;
}
#else
#define PEER_GOES POLLIN
static bool has_gone(const RawWriter *writer) {
  char bytes[4096];
  return (writer->seen & POLLIN) != 0 &&
         recv(writer->fd, bytes, sizeof bytes, MSG_DONTWAIT) == 0;
}
#endif

enum {
  RAW_WRITER_SLICE =
      16 * 1024, /* written to one socket before the others' turn */
  RAW_WRITER_FIRST = 16
};
static const double RAW_WRITER_PAUSE = 0.005; /* at least, while a body drips */

static int socket_of(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

static void reset_socket(int fd) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  /* MHD would shut down first, and the peer might see an orderly end:
   * dissolving the association sends the RST right here. */
  (void)connect(fd, &nowhere, sizeof nowhere);
}

void raw_writer_reset(struct MHD_Connection *connection) {
  reset_socket(socket_of(connection));
}

/* ---- one connection ---- */

/* Writes what may be written now. False: it is over. */
static bool write_some(RawWriter *writer, double now) {
  char bytes[RAW_WRITER_SLICE];
  const FaultStream *stream = &writer->stream;
  uint64_t allowed = fault_stream_allowed(stream, now - writer->started);
  uint64_t left = allowed > writer->at ? allowed - writer->at : 0;
  size_t most = left < sizeof bytes ? (size_t)left : sizeof bytes;
  size_t size = fault_stream_copy(stream, writer->at, bytes, most);
  if (size > 0) {
    ssize_t sent = send(writer->fd, bytes, size,
                        platform_send_flags(writer->fd) | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
      return false;
    writer->at += sent > 0 ? (uint64_t)sent : 0;
  }
  if (writer->at < stream->total || stream->end == END_HANG)
    return true;
  if (stream->end == END_RESET)
    reset_socket(writer->fd);
  return false;
}

static bool pump(RawWriter *writer, double now) {
  bool gone =
      (writer->seen & (POLLERR | POLLHUP | POLLNVAL)) != 0 || has_gone(writer);
  writer->seen = 0;
  return !gone && write_some(writer, now);
}

/* What to wait for, and in *pause (seconds) how long at most. */
static short wanted(const RawWriter *writer, double now, double *pause) {
  const FaultStream *stream = &writer->stream;
  if (writer->at >= stream->total)
    return PEER_GOES;
  if (writer->at < fault_stream_allowed(stream, now - writer->started))
    return POLLOUT | PEER_GOES;
  /* The time of the next byte, or somewhat later for several at once. */
  double due = (double)(writer->at + 1 - stream->burst) / stream->rate;
  *pause = fmin(*pause, fmax(writer->started + due - now, RAW_WRITER_PAUSE));
  return PEER_GOES;
}

/* ---- all of them ---- */

/* Unlists a writer that is over; NULL if there is none. */
static RawWriter *take_ended(RawWriters *raw_writers, double now) {
  for (RawWriter **at = &raw_writers->first; *at; at = &(*at)->next) {
    if (raw_writers->closed || !pump(*at, now)) {
      RawWriter *writer = *at;
      *at = writer->next;
      raw_writers->count--;
      return writer;
    }
  }
  return NULL;
}

static void resume_ended(RawWriters *raw_writers) {
  double now = delays_clock();
  RawWriter *writer;
  while ((writer = take_ended(raw_writers, now)) != NULL) {
    struct MHD_Connection *connection = writer->connection;
    pthread_mutex_unlock(&raw_writers->lock);
    MHD_resume_connection(connection);
    pthread_mutex_lock(&raw_writers->lock);
  }
}

/* Room for every socket and the pipe. False: no memory for it. */
static bool make_room(RawWriters *raw_writers) {
  if (raw_writers->count < raw_writers->size)
    return true;
  size_t size = raw_writers->count * 2;
  struct pollfd *room = realloc(raw_writers->room, size * sizeof *room);
  if (!room)
    return false;
  raw_writers->room = room;
  raw_writers->size = size;
  return true;
}

/* Without memory the last sockets are left out for a while. */
static size_t fill(RawWriters *raw_writers, double *pause) {
  if (!make_room(raw_writers))
    *pause = RAW_WRITER_PAUSE;
  double now = delays_clock();
  size_t count = 0;
  raw_writers->room[count++] =
      (struct pollfd){.fd = raw_writers->wake[0], .events = POLLIN};
  for (RawWriter *writer = raw_writers->first;
       writer && count < raw_writers->size; writer = writer->next) {
    raw_writers->room[count++] =
        (struct pollfd){.fd = writer->fd, .events = wanted(writer, now, pause)};
  }
  return count;
}

/* Only this thread unlists, and what was listed meanwhile stands in front. */
static void tell(RawWriters *raw_writers, size_t polled, size_t added) {
  RawWriter *writer = raw_writers->first;
  for (size_t i = 0; i < added; i++)
    writer = writer->next;
  for (size_t i = 1; i < polled && writer; i++) {
    writer->seen = raw_writers->room[i].revents;
    writer = writer->next;
  }
}

static void wait_for_sockets(RawWriters *raw_writers) {
  double pause = INFINITY;
  char woken[16];
  size_t polled = fill(raw_writers, &pause), before = raw_writers->count;
  int most = isinf(pause) ? -1 : (int)ceil(fmin(pause, 1e3) * 1e3);
  pthread_mutex_unlock(&raw_writers->lock);
  if (poll(raw_writers->room, (nfds_t)polled, most) < 0)
    polled = 1; /* nothing is known */
  else if (raw_writers->room[0].revents != 0)
    (void)!read(raw_writers->wake[0], woken, sizeof woken);
  pthread_mutex_lock(&raw_writers->lock);
  tell(raw_writers, polled, raw_writers->count - before);
}

static void *run(void *cls) {
  RawWriters *raw_writers = cls;
  pthread_mutex_lock(&raw_writers->lock);
  for (;;) {
    resume_ended(raw_writers);
    if (raw_writers->closed)
      break;
    wait_for_sockets(raw_writers);
  }
  pthread_mutex_unlock(&raw_writers->lock);
  return NULL;
}

static void wake(RawWriters *raw_writers) {
  (void)!write(raw_writers->wake[1], "",
               1); /* a full pipe is readable anyway */
}

/* ---- the calls ---- */

bool raw_writers_start(RawWriters *raw_writers) {
  *raw_writers = (RawWriters){.wake = {-1, -1}};
  raw_writers->room = calloc(RAW_WRITER_FIRST, sizeof *raw_writers->room);
  raw_writers->size = RAW_WRITER_FIRST;
  pthread_mutex_init(&raw_writers->lock, NULL);
  if (!platform_pipe(raw_writers->wake) || !raw_writers->room ||
      pthread_create(&raw_writers->thread, NULL, run, raw_writers) != 0) {
    raw_writers_free(raw_writers);
    return false;
  }
  return true;
}

void raw_writer_hold(RawWriters *raw_writers, RawWriter *writer,
                     struct MHD_Connection *connection) {
  int on = 1;
  writer->connection = connection;
  writer->fd = socket_of(connection);
  writer->started = delays_clock();
  /* Single bytes go out at once. */
  setsockopt(writer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  MHD_suspend_connection(connection);
  pthread_mutex_lock(&raw_writers->lock);
  bool closed = raw_writers->closed;
  if (!closed) {
    writer->next = raw_writers->first;
    raw_writers->first = writer;
    raw_writers->count++;
    wake(raw_writers);
  }
  pthread_mutex_unlock(&raw_writers->lock);
  if (closed)
    MHD_resume_connection(connection);
}

void raw_writers_stop(RawWriters *raw_writers) {
  pthread_mutex_lock(&raw_writers->lock);
  raw_writers->closed = true;
  wake(raw_writers);
  pthread_mutex_unlock(&raw_writers->lock);
  pthread_join(raw_writers->thread, NULL);
}

void raw_writers_free(RawWriters *raw_writers) {
  for (int i = 0; i < 2; i++)
    if (raw_writers->wake[i] >= 0)
      close(raw_writers->wake[i]);
  free(raw_writers->room);
  pthread_mutex_destroy(&raw_writers->lock);
}
