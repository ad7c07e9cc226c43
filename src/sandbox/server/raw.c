/*
 * Connections that are written to past the HTTP library. The thread here
 * polls their sockets. A writer is unlisted before its connection is resumed,
 * since its memory may be gone right after; and no connection is suspended or
 * resumed under the lock, since MHD has locks of its own.
 */
#include "raw.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "waiting.h"

enum {
  RAW_SLICE = 16 * 1024, /* written to one socket before the others' turn */
  RAW_FIRST = 16
};
static const double RAW_PAUSE = 0.005; /* at least, while a body drips */

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

void raw_reset(struct MHD_Connection *connection) {
  reset_socket(socket_of(connection));
}

/* ---- one connection ---- */

/* Writes what may be written now. False: it is over. */
static bool write_some(RawWriter *writer, double now) {
  char bytes[RAW_SLICE];
  const Script *script = &writer->script;
  uint64_t allowed = script_allowed(script, now - writer->started);
  uint64_t left = allowed > writer->at ? allowed - writer->at : 0;
  size_t most = left < sizeof bytes ? (size_t)left : sizeof bytes;
  size_t size = script_copy(script, writer->at, bytes, most);
  if (size > 0) {
    ssize_t sent = send(writer->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
      return false;
    writer->at += sent > 0 ? (uint64_t)sent : 0;
  }
  if (writer->at < script->total || script->end == END_HANG)
    return true;
  if (script->end == END_RESET)
    reset_socket(writer->fd);
  return false;
}

static bool pump(RawWriter *writer, double now) {
  bool gone = (writer->seen & (POLLERR | POLLHUP | POLLRDHUP | POLLNVAL)) != 0;
  writer->seen = 0;
  return !gone && write_some(writer, now);
}

/* What to wait for, and in *pause (seconds) how long at most. */
static short wanted(const RawWriter *writer, double now, double *pause) {
  const Script *script = &writer->script;
  if (writer->at >= script->total)
    return POLLRDHUP;
  if (writer->at < script_allowed(script, now - writer->started))
    return POLLOUT | POLLRDHUP;
  /* The time of the next byte, or somewhat later for several at once. */
  double due = (double)(writer->at + 1 - script->burst) / script->rate;
  *pause = fmin(*pause, fmax(writer->started + due - now, RAW_PAUSE));
  return POLLRDHUP;
}

/* ---- all of them ---- */

/* Unlists a writer that is over; NULL if there is none. */
static RawWriter *take_ended(Raw *raw, double now) {
  for (RawWriter **at = &raw->first; *at; at = &(*at)->next) {
    if (raw->closed || !pump(*at, now)) {
      RawWriter *writer = *at;
      *at = writer->next;
      raw->count--;
      return writer;
    }
  }
  return NULL;
}

static void resume_ended(Raw *raw) {
  double now = waiting_clock();
  RawWriter *writer;
  while ((writer = take_ended(raw, now)) != NULL) {
    struct MHD_Connection *connection = writer->connection;
    pthread_mutex_unlock(&raw->lock);
    MHD_resume_connection(connection);
    pthread_mutex_lock(&raw->lock);
  }
}

/* Room for every socket and the eventfd. False: no memory for it. */
static bool make_room(Raw *raw) {
  if (raw->count < raw->size)
    return true;
  size_t size = raw->count * 2;
  struct pollfd *room = realloc(raw->room, size * sizeof *room);
  if (!room)
    return false;
  raw->room = room;
  raw->size = size;
  return true;
}

/* Without memory the last sockets are left out for a while. */
static size_t fill(Raw *raw, double *pause) {
  if (!make_room(raw))
    *pause = RAW_PAUSE;
  double now = waiting_clock();
  size_t count = 0;
  raw->room[count++] = (struct pollfd){.fd = raw->wake, .events = POLLIN};
  for (RawWriter *writer = raw->first; writer && count < raw->size;
       writer = writer->next) {
    raw->room[count++] =
        (struct pollfd){.fd = writer->fd, .events = wanted(writer, now, pause)};
  }
  return count;
}

/* Only this thread unlists, and what was listed meanwhile stands in front. */
static void tell(Raw *raw, size_t polled, size_t added) {
  RawWriter *writer = raw->first;
  for (size_t i = 0; i < added; i++)
    writer = writer->next;
  for (size_t i = 1; i < polled && writer; i++) {
    writer->seen = raw->room[i].revents;
    writer = writer->next;
  }
}

static void wait_for_sockets(Raw *raw) {
  double pause = INFINITY;
  uint64_t woken;
  size_t polled = fill(raw, &pause), before = raw->count;
  int most = isinf(pause) ? -1 : (int)ceil(fmin(pause, 1e3) * 1e3);
  pthread_mutex_unlock(&raw->lock);
  if (poll(raw->room, (nfds_t)polled, most) < 0)
    polled = 1; /* nothing is known */
  else if (raw->room[0].revents != 0)
    (void)!read(raw->wake, &woken, sizeof woken);
  pthread_mutex_lock(&raw->lock);
  tell(raw, polled, raw->count - before);
}

static void *run(void *cls) {
  Raw *raw = cls;
  pthread_mutex_lock(&raw->lock);
  for (;;) {
    resume_ended(raw);
    if (raw->closed)
      break;
    wait_for_sockets(raw);
  }
  pthread_mutex_unlock(&raw->lock);
  return NULL;
}

static void wake(Raw *raw) {
  uint64_t one = 1;
  (void)!write(raw->wake, &one, sizeof one);
}

/* ---- the calls ---- */

bool raw_start(Raw *raw) {
  *raw = (Raw){.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  raw->room = calloc(RAW_FIRST, sizeof *raw->room);
  raw->size = RAW_FIRST;
  pthread_mutex_init(&raw->lock, NULL);
  if (raw->wake < 0 || !raw->room ||
      pthread_create(&raw->thread, NULL, run, raw) != 0) {
    raw_free(raw);
    return false;
  }
  return true;
}

void raw_hold(Raw *raw, RawWriter *writer, struct MHD_Connection *connection) {
  int on = 1;
  writer->connection = connection;
  writer->fd = socket_of(connection);
  writer->started = waiting_clock();
  /* Single bytes go out at once. */
  setsockopt(writer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  MHD_suspend_connection(connection);
  pthread_mutex_lock(&raw->lock);
  bool closed = raw->closed;
  if (!closed) {
    writer->next = raw->first;
    raw->first = writer;
    raw->count++;
    wake(raw);
  }
  pthread_mutex_unlock(&raw->lock);
  if (closed)
    MHD_resume_connection(connection);
}

void raw_stop(Raw *raw) {
  pthread_mutex_lock(&raw->lock);
  raw->closed = true;
  wake(raw);
  pthread_mutex_unlock(&raw->lock);
  pthread_join(raw->thread, NULL);
}

void raw_free(Raw *raw) {
  if (raw->wake >= 0)
    close(raw->wake);
  free(raw->room);
  pthread_mutex_destroy(&raw->lock);
}
