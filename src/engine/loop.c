/* The I/O thread's event loop: see loop.h. */
#include "loop.h"

#include "clock.h"

#include <limits.h>
#include <math.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH 64

/* Idle connections kept open for the next exchange. */
#define KEPT_CONNECTIONS 128L

/* libcurl says which sockets to watch, and for what. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user,
                     void *known) {
  Loop *loop = user;
  struct epoll_event event = {.data.fd = fd};
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, &event);
    return 0;
  }
  if (what & CURL_POLL_IN)
    event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT)
    event.events |= EPOLLOUT;
  if (known || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
    epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event);
  if (!known)
    curl_lib.multi_assign(loop->multi, fd, loop);
  return 0;
}

/* libcurl says when it wants to be called at the latest. */
static int on_timer(CURLM *multi, long milliseconds, void *user) {
  Loop *loop = user;
  (void)multi;
  loop->curl_at = milliseconds < 0
                      ? (double)INFINITY
                      : clock_monotonic() + (double)milliseconds / 1000;
  return 0;
}

bool loop_open(Loop *loop, int wake_fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = wake_fd};
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
  loop->curl_at = (double)INFINITY;
  loop->broken = false;
}

void loop_close(Loop *loop) {
  loop_stop_curl(loop);
  heap_free(&loop->heap);
  close(loop->epoll);
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
  return NULL;
}

/* Milliseconds until the first timer or `at`, rounded up; -1 = for ever. */
static int time_left(const Loop *loop, double at) {
  const Timer *first = heap_first(&loop->heap);
  double left;
  if (loop->curl_at < at)
    at = loop->curl_at;
  if (first && first->at < at)
    at = first->at;
  if (isinf(at))
    return -1;
  left = ceil((at - clock_monotonic()) * 1000);
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
static void let_work(Loop *loop, curl_socket_t fd, int events) {
  int running;
  if (!loop->broken)
    loop->broken =
        curl_lib.multi_socket_action(loop->multi, fd, events, &running) ==
        CURLM_OUT_OF_MEMORY;
}

void loop_wait(Loop *loop, double until) {
  struct epoll_event events[BATCH];
  int count = epoll_wait(loop->epoll, events, BATCH, time_left(loop, until));
  if (!loop->multi)
    return;
  /* The wake descriptor is among them; libcurl does not know it and looks
   * away. */
  for (int i = 0; i < count; i++)
    let_work(loop, events[i].data.fd, to_curl_events(events[i].events));
  if (clock_monotonic() >= loop->curl_at) {
    loop->curl_at = (double)INFINITY;
    let_work(loop, CURL_SOCKET_TIMEOUT, 0);
  }
}

CURL *loop_finished(Loop *loop, CURLcode *result) {
  CURLMsg *message;
  int left;
  CURL *easy;
  if (!loop->multi)
    return NULL;
  do
    message = curl_lib.multi_info_read(loop->multi, &left);
  while (message && message->msg != CURLMSG_DONE);
  if (!message)
    return NULL;
  easy = message->easy_handle;
  *result = message->data.result;
  curl_lib.multi_remove_handle(loop->multi, easy); /* frees the message */
  return easy;
}

Timer *loop_due(Loop *loop, double now) {
  Timer *first = heap_first(&loop->heap);
  if (!first || first->at > now)
    return NULL;
  heap_clear(&loop->heap, first);
  return first;
}
