/* The I/O thread's event loop: see loop.h. */
#include "loop.h"

#include "engine/base/clock.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH 64
#define FIRST_WATCHES 64
#define NOT_CURLS (-1) /* in the place of the wake descriptor */

/* Idle connections kept open for the next exchange. */
#define KEPT_CONNECTIONS 128L

/* Seconds by which a wait or a turn of the thread may be late before that
 * counts as a delay. */
#define DELAY_MIN 1.0

/* ---- which sockets are watched ---- */

/* A descriptor without an entry is watched all the same, only at more cost. */
static bool reserve_watches(Loop *loop, size_t count) {
  size_t more = loop->watch_count ? loop->watch_count : FIRST_WATCHES;
  Watch *grown;
  if (count <= loop->watch_count)
    return true;
  while (more < count)
    more *= 2;
  grown = realloc(loop->watches, more * sizeof *grown);
  if (!grown)
    return false;
  memset(grown + loop->watch_count, 0,
         (more - loop->watch_count) * sizeof *grown);
  loop->watches = grown;
  loop->watch_count = more;
  return true;
}

/* The entry of a connection's socket; NULL for any other descriptor. */
static Watch *find_watch(const Loop *loop, int fd) {
  size_t index = (size_t)fd;
  if (index >= loop->watch_count || !loop->watches[index].ours)
    return NULL;
  return &loop->watches[index];
}

static bool tell_epoll(const Loop *loop, int how, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  return epoll_ctl(loop->epoll, how, fd, &event) == 0 ||
         (how == EPOLL_CTL_ADD &&
          epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event) == 0);
}

/* What the system would not take is told again the next time. */
static void set_watch(const Loop *loop, Watch *watch, int fd, uint32_t events) {
  int how = watch->set ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (events != watch->set &&
      tell_epoll(loop, events ? how : EPOLL_CTL_DEL, fd, events))
    watch->set = events;
}

void loop_opened(Loop *loop, int fd) {
  if (!reserve_watches(loop, (size_t)fd + 1))
    return;
  loop->watches[fd] = (Watch){.ours = true};
  loop->open_count++;
}

/* A child that the host forked may hold the socket open: epoll would go on to
 * tell of it, and nobody could make it stop. */
void loop_closing(Loop *loop, int fd) {
  Watch *watch = find_watch(loop, fd);
  if (!watch)
    return;
  set_watch(loop, watch, fd, 0);
  watch->ours = false;
  loop->open_count--;
}

static uint32_t to_epoll_events(int what) {
  return (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0u) |
         (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0u);
}

/* libcurl says which sockets to watch, and for what.  It lets go of a
 * connection after each exchange and takes it up again for the next: the system
 * is only told of what differs then, and the socket of an idle connection stays
 * in the set until something happens to it. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user,
                     void *known) {
  Loop *loop = user;
  Watch *watch = find_watch(loop, fd);
  uint32_t events = what == CURL_POLL_REMOVE ? 0 : to_epoll_events(what);
  (void)easy;
  if (watch) {
    watch->wanted = events;
    if (events)
      set_watch(loop, watch, fd, events);
    return 0;
  }
  if (what == CURL_POLL_REMOVE) {
    tell_epoll(loop, EPOLL_CTL_DEL, fd, 0);
    return 0;
  }
  tell_epoll(loop, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, events);
  if (!known)
    curl_lib.multi_assign(loop->multi, fd, loop);
  return 0;
}

/* ---- the rest of what libcurl asks for ---- */

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
  struct epoll_event event = {.events = EPOLLIN, .data.fd = NOT_CURLS};
  *loop = (Loop){.epoll = epoll_create1(EPOLL_CLOEXEC),
                 .curl_at = (double)INFINITY};
  if (loop->epoll < 0)
    return false;
  if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, wake_fd, &event) == 0)
    return true;
  close(loop->epoll);
  return false;
}

void loop_stop_curl(Loop *loop) {
  if (loop->multi)
    curl_lib.multi_cleanup(loop->multi);
  loop->multi = NULL;
  loop->message = NULL;
  loop->curl_at = (double)INFINITY;
  loop->broken = false;
  loop->bound = 0;
}

void loop_close(Loop *loop) {
  loop_stop_curl(loop);
  heap_free(&loop->heap);
  heap_free(&loop->limits);
  free(loop->watches);
  close(loop->epoll);
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

static int to_curl_events(uint32_t events) {
  int mask = 0;
  if (events & EPOLLIN)
    mask |= CURL_CSELECT_IN;
  if (events & EPOLLOUT)
    mask |= CURL_CSELECT_OUT;
  if (events & (EPOLLERR | EPOLLHUP))
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

static void let_socket_work(Loop *loop, int fd, uint32_t events) {
  Watch *watch = find_watch(loop, fd);
  if (watch && !watch->wanted) /* an idle connection was closed, as a rule */
    set_watch(loop, watch, fd, 0);
  else
    drive(loop, fd, to_curl_events(events));
}

/* Waits for at most so many milliseconds.  The number of events. */
static int wait_for_events(Loop *loop, struct epoll_event *events, double now,
                           int milliseconds) {
  double due = milliseconds < 0 ? (double)INFINITY : now + milliseconds / 1e3;
  int count = epoll_wait(loop->epoll, events, BATCH, milliseconds);
  loop->seen_at = clock_monotonic();
  notice_delay(loop, loop->seen_at, due);
  return count;
}

/* A round of the sockets began at `now` and found `count` events.  A full batch
 * may have left some out: the system tells of each in turn, so that enough
 * rounds have seen all. */
static void note_round(Loop *loop, double now, int count) {
  if (count < 0)
    return; /* a signal, or the process was stopped: nobody looked */
  if (loop->rounds++ == 0)
    loop->round_at = now;
  if (count == BATCH && loop->rounds <= loop->open_count / BATCH)
    return;
  loop->read_at = loop->round_at;
  loop->rounds = 0;
}

void loop_wait(Loop *loop, double until) {
  struct epoll_event events[BATCH];
  double now = clock_monotonic();
  int count;
  if (loop->seen_at > 0)
    notice_delay(loop, now, loop->seen_at);
  now = let_timer_work(loop, now);
  count = wait_for_events(
      loop, events, now,
      loop->message || loop->broken ? 0 : time_left(loop, now, until));
  note_round(loop, now, count);
  if (!loop->multi)
    return;
  for (int i = 0; i < count; i++)
    if (events[i].data.fd != NOT_CURLS)
      let_socket_work(loop, events[i].data.fd, events[i].events);
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
