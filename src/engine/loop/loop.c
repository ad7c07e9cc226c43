/* The I/O thread's event loop: see loop.h. */
#include "loop.h"

#include "engine/base/clock.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>

/* Descriptors that an exchange may have watched at one moment: a lookup of a
 * name, two attempts at a connection, one of a proxy. */
#define WATCHED_EACH 4

/* Idle connections kept open for the next exchange. */
#define KEPT_CONNECTIONS 128L

/* Seconds by which a wait or a turn of the thread may be late before that
 * counts as a delay. */
#define DELAY_MIN 1.0

bool loop_reserve(Loop *loop, size_t exchanges) {
  return watches_reserve(&loop->watches, 1 + exchanges * WATCHED_EACH);
}

/* libcurl says which sockets to watch, and for what. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user,
                     void *known) {
  Loop *loop = user;
  bool in = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
  bool out = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
  bool idle = !in && !out && sockets_find(&loop->sockets, fd);
  (void)easy, (void)known;
  watches_set(&loop->idle, fd, idle ? POLLIN : 0);
  if (!watches_set(&loop->watches, fd,
                   (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0))))
    loop->broken = true;
  return 0;
}

void loop_opened(Loop *loop, int fd, uint64_t origin) {
  sockets_add(&loop->sockets, fd, origin);
}

static bool is_of(const Loop *loop, int fd, uint64_t origin) {
  const Socket *socket = sockets_find(&loop->sockets, fd);
  return !socket || !socket->origin || socket->origin == origin;
}

/* What a server says on a connection on which nothing was asked is its end. */
bool loop_has_dead(Loop *loop, uint64_t origin) {
  size_t at = 0;
  short events;
  int fd;
  if (loop->idle.count == 0)
    return false;
  if (!watches_wait(&loop->idle, 0))
    return true; /* nobody knows */
  while ((fd = watches_take(&loop->idle, &at, &events)) >= 0)
    if (is_of(loop, fd, origin))
      return true;
  return false;
}

void loop_closing(Loop *loop, int fd) {
  sockets_remove(&loop->sockets, fd);
  watches_set(&loop->idle, fd, 0);
  watches_set(&loop->watches, fd, 0);
}

/* libcurl says when it wants to be called at the latest.  At once is by far the
 * most frequent, and needs no clock. */
static int on_timer(CURLM *multi, long milliseconds, void *user) {
  Loop *loop = user;
  (void)multi;
  if (milliseconds > 0)
    loop->curl_at = clock_monotonic() + (double)milliseconds / 1000;
  else
    loop->curl_at = milliseconds < 0 ? (double)INFINITY : 0;
  return 0;
}

bool loop_open(Loop *loop, int wake_fd) {
  *loop = (Loop){.wake_fd = wake_fd, .curl_at = (double)INFINITY};
  return watches_set(&loop->watches, wake_fd, POLLIN);
}

void loop_stop_curl(Loop *loop) {
  if (loop->multi)
    curl_lib.multi_cleanup(loop->multi);
  loop->multi = NULL;
  watches_empty(&loop->watches);
  watches_set(&loop->watches, loop->wake_fd, POLLIN); /* there is room */
  loop->message = NULL;
  loop->curl_at = (double)INFINITY;
  loop->broken = false;
  loop->bound = 0;
}

void loop_close(Loop *loop) {
  loop_stop_curl(loop);
  heap_free(&loop->heap);
  heap_free(&loop->limits);
  watches_free(&loop->watches);
  sockets_free(&loop->sockets);
  watches_free(&loop->idle);
}

/* libcurl 8.20 and later look up names in a pool of threads, for which closing
 * waits unless the multi handle says otherwise (CURLMOPT_QUICK_EXIT; earlier
 * ones do not know it, and ask each easy handle alone: http.c). */
static void set_quick_exit(CURLM *multi) {
  curl_lib.multi_setopt(multi, (CURLMoption)(CURLOPTTYPE_LONG + 21), 1L);
}

void loop_bound_connections(Loop *loop, unsigned fetches) {
  unsigned bound = loop->places ? loop->places + fetches : 0;
  if (bound == loop->bound || !loop->multi)
    return;
  loop->bound = bound;
  curl_lib.multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS,
                        bound ? (long)bound : KEPT_CONNECTIONS);
  curl_lib.multi_setopt(loop->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                        (long)bound);
}

const char *loop_start_curl(Loop *loop) {
  const char *trouble = curl_lib_load();
  if (trouble || loop->multi)
    return trouble;
  loop->multi = curl_lib.multi_init();
  if (!loop->multi)
    return "out of memory";
  curl_lib.multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_lib.multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
  curl_lib.multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_lib.multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
  curl_lib.multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
  set_quick_exit(loop->multi);
  return NULL;
}

/* Milliseconds from `now` until the first timer or `at`, rounded up; -1 = for
 * ever. */
static int time_left(const Loop *loop, double now, double at) {
  double left;
  at = fmin(at, fmin(loop->curl_at, heap_first_at(&loop->heap)));
  at = fmin(at, heap_first_at(&loop->limits));
  if (isinf(at))
    return -1;
  left = ceil((at - now) * 1000);
  if (left <= 0)
    return 0;
  return left > INT_MAX ? INT_MAX : (int)left;
}

static int to_curl_events(short events) {
  int mask = 0;
  if (events & POLLIN)
    mask |= CURL_CSELECT_IN;
  if (events & POLLOUT)
    mask |= CURL_CSELECT_OUT;
  if (events & (POLLERR | POLLHUP | POLLNVAL))
    mask |= CURL_CSELECT_ERR;
  return mask;
}

/* A multi handle that ran out of memory while it took note of a socket divides
 * by zero (libcurl 7.88) when that socket comes again: it is not used again. */
static void drive(Loop *loop, curl_socket_t fd, int events) {
  int running;
  if (!loop->broken)
    loop->broken =
        curl_lib.multi_socket_action(loop->multi, fd, events, &running) ==
        CURLM_OUT_OF_MEMORY;
}

static CURLMsg *read_message(const Loop *loop) {
  CURLMsg *message;
  int left;
  do
    message = curl_lib.multi_info_read(loop->multi, &left);
  while (message && message->msg != CURLMSG_DONE);
  return message;
}

/* It is `now`, and should have been `due` at the latest. */
static void notice_delay(Loop *loop, double now, double due) {
  if (now - due > DELAY_MIN && loop->on_delay)
    loop->on_delay(loop, now, now - due);
}

/* Exchanges that were added begin here: their limits run, their requests are
 * not out.  The time afterwards. */
static double let_timer_work(Loop *loop, double now) {
  double after;
  if (!loop->multi || loop->curl_at > now)
    return now;
  loop->curl_at = (double)INFINITY;
  drive(loop, CURL_SOCKET_TIMEOUT, 0);
  loop->message = read_message(loop);
  after = clock_monotonic();
  notice_delay(loop, after, now);
  return after;
}

/* Waits for at most so many milliseconds. */
static void wait_for_events(Loop *loop, double now, int milliseconds) {
  double due = milliseconds < 0 ? (double)INFINITY : now + milliseconds / 1e3;
  bool looked = watches_wait(&loop->watches, milliseconds);
  loop->seen_at = clock_monotonic();
  notice_delay(loop, loop->seen_at, due);
  if (looked)
    loop->read_at = now;
}

static void let_sockets_work(Loop *loop) {
  size_t at = 0;
  short events;
  int fd;
  while ((fd = watches_take(&loop->watches, &at, &events)) >= 0) {
    if (events & POLLNVAL) /* somebody has closed what is not his */
      watches_set(&loop->watches, fd, 0);
    if (fd != loop->wake_fd)
      drive(loop, fd, to_curl_events(events));
  }
}

void loop_wait(Loop *loop, double until) {
  double now = clock_monotonic();
  if (loop->seen_at > 0)
    notice_delay(loop, now, loop->seen_at);
  now = let_timer_work(loop, now);
  wait_for_events(loop, now,
                  loop->message || loop->broken ? 0
                                                : time_left(loop, now, until));
  let_sockets_work(loop);
}

CURL *loop_finished(Loop *loop, CURLcode *result) {
  CURLMsg *message = loop->message;
  CURL *easy;
  if (!loop->multi)
    return NULL;
  loop->message = NULL;
  if (!message)
    message = read_message(loop);
  if (!message)
    return NULL;
  easy = message->easy_handle;
  *result = message->data.result;
  curl_lib.multi_remove_handle(loop->multi, easy); /* frees the message */
  return easy;
}

Timer *loop_due(Loop *loop, double now) {
  Timer *first = heap_first(&loop->heap);
  if (!first || heap_first_at(&loop->heap) > now)
    return NULL;
  heap_clear(&loop->heap, first);
  return first;
}
