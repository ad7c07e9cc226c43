/* The event loop: which sockets it watches, and for how long. */
#include "service.h"

#include "engine/core/account.h"
#include "engine/http/http.h"

#include <math.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static Loop loop;
static Account *account;
static int wake;
static unsigned done;

static void enter(const char *url) {
  AccountSettings settings = {.service.base_url = url,
                              .service.api_key = "key",
                              .service.user_agent = "agent/1",
                              .service.connect_timeout = 30,
                              .max_active = 1};
  account = account_new(&settings, NULL);
  wake = eventfd(0, EFD_CLOEXEC);
  assert_non_null(account);
  assert_true(loop_open(&loop, wake));
}

static void leave(void) {
  account_drop(account);
  loop_close(&loop);
  close(wake);
}

static void on_done(Exchange *exchange) {
  assert_int_equal(exchange->reply.status, 200);
  done++;
  http_release(exchange);
}

/* One poll from its beginning to its answer. */
static void poll_once(const char *url) {
  unsigned before = done;
  Failure failure = {0};
  Exchange *exchange = http_get(&loop, &account->service, url, 60, &failure);
  assert_non_null(exchange);
  exchange->done = on_done;
  while (done == before) {
    CURL *easy;
    CURLcode result;
    loop_wait(&loop, (double)INFINITY);
    while ((easy = loop_finished(&loop, &result)))
      http_finish(easy, result);
  }
}

/* The descriptor of the only connection, or -1. */
static int connection(void) {
  int found = -1;
  for (size_t i = 0; i < loop.watch_count; i++)
    if (loop.watches[i].ours) {
      assert_int_equal(found, -1);
      found = (int)i;
    }
  return found;
}

static void assert_silence(void) {
  struct epoll_event event;
  assert_int_equal(epoll_wait(loop.epoll, &event, 1, 0), 0);
}

static void an_idle_connection_stays_in_the_set(void **state) {
  static const Line script[] = {{200, "{}", .keep = 1}, {200, "{}", .keep = 1}};
  FakeService service;
  char url[128];
  int fd;
  (void)state;
  service_start(&service, script, COUNT(script));
  enter(service.url);
  snprintf(url, sizeof url, "%s/api/generate/1", service.url);
  poll_once(url);
  fd = connection();
  assert_true(fd >= 0);
  assert_int_equal(loop.watches[fd].wanted, 0);
  /* A libcurl that let go of it while it wrote is told once more, and no more.
   */
  if (loop.watches[fd].set & EPOLLOUT)
    loop_wait(&loop, (double)INFINITY);
  assert_false(loop.watches[fd].set & EPOLLOUT);
  assert_silence();
  poll_once(url);
  assert_int_equal(connection(), fd);
  leave();
  service_stop(&service);
  assert_int_equal(service.asked, 2);
}

static void an_idle_connection_that_ends_is_let_go(void **state) {
  static const Line script[] = {{200, "{}", .keep = HUSHED},
                                {200, "{}", .keep = 1}};
  FakeService service;
  char url[128];
  int fd;
  (void)state;
  service_start(&service, script, COUNT(script));
  enter(service.url);
  snprintf(url, sizeof url, "%s/api/generate/1", service.url);
  poll_once(url);
  fd = connection();
  assert_true(fd >= 0);
  while (loop.watches[fd].set)
    loop_wait(&loop, (double)INFINITY);
  assert_silence();
  poll_once(url); /* on a new one */
  leave();
  service_stop(&service);
  assert_int_equal(service.asked, 2);
}

static __typeof__(curl_lib.multi_socket_action) true_action;
static unsigned delays;

/* The process is stopped in the midst of it, once. */
static CURLMcode held_up(CURLM *multi, curl_socket_t fd, int events,
                         int *running) {
  curl_lib.multi_socket_action = true_action;
  poll(NULL, 0, 1100);
  return true_action(multi, fd, events, running);
}

static void on_delay(Loop *held, double now, double seconds) {
  assert_true(held == &loop && now > seconds && seconds > 1);
  delays++;
}

/* Its limits run already, and are to be moved before they are looked at. */
static void a_delay_while_an_exchange_begins_is_noticed(void **state) {
  Failure failure = {0};
  Exchange *exchange;
  (void)state;
  enter("http://127.0.0.1:1");
  exchange =
      http_get(&loop, &account->service, "http://127.0.0.1:1/1", 60, &failure);
  assert_non_null(exchange);
  loop.on_delay = on_delay;
  true_action = curl_lib.multi_socket_action;
  curl_lib.multi_socket_action = held_up;
  loop_wait(&loop, 0);
  assert_true(curl_lib.multi_socket_action == true_action);
  assert_int_equal(delays, 1);
  http_abort(&loop, exchange);
  leave();
}

/* As a child that the host has forked would. */
static void a_closed_socket_is_forgotten_though_others_hold_it(void **state) {
  static const Line script[] = {{200, "{}", .keep = 1}};
  FakeService service;
  char url[128];
  int held;
  (void)state;
  service_start(&service, script, COUNT(script));
  enter(service.url);
  snprintf(url, sizeof url, "%s/api/generate/1", service.url);
  poll_once(url);
  held = dup(connection());
  assert_true(held >= 0);
  loop_stop_curl(&loop);
  assert_int_equal(connection(), -1);
  shutdown(held, SHUT_RDWR);
  assert_silence();
  close(held);
  leave();
  service_stop(&service);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_idle_connection_stays_in_the_set),
      cmocka_unit_test(an_idle_connection_that_ends_is_let_go),
      cmocka_unit_test(a_delay_while_an_exchange_begins_is_noticed),
      cmocka_unit_test(a_closed_socket_is_forgotten_though_others_hold_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
