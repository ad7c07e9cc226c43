/* The event loop: which sockets it watches, and for how long. */
#include "service.h"

#include "engine/base/clock.h"
#include "engine/base/platform.h"
#include "engine/core/account.h"
#include "engine/http/http.h"

#include <math.h>
#include <poll.h>

static Loop loop;
static Account *account;
static int wake[2];
static unsigned done;

static void enter(const char *url) {
  AccountSettings settings = {.service.base_url = url,
                              .service.api_key = "key",
                              .service.user_agent = "agent/1",
                              .service.connect_timeout = 30,
                              .max_active = 1};
  account = account_new(&settings, NULL);
  assert_true(platform_pipe(wake));
  assert_non_null(account);
  assert_true(loop_open(&loop, wake[0]));
}

static void leave(void) {
  account_drop(account);
  loop_close(&loop);
  close(wake[0]);
  close(wake[1]);
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

/* How many descriptors are watched beside the one that wakes. */
static unsigned watched(void) {
  unsigned count = 0;
  for (size_t i = 0; i < loop.watches.count; i++)
    if (loop.watches.list[i].fd >= 0 && loop.watches.list[i].fd != wake[0])
      count++;
  return count;
}

/* Nothing is there to wake it. */
static void assert_sleeps(void) {
  double until = clock_monotonic() + 0.05;
  loop_wait(&loop, until);
  assert_true(clock_monotonic() >= until - 0.001);
}

static bool has_dead(void) {
  return loop_has_dead(&loop, service_origin_name(&account->service));
}

static void an_idle_connection_is_kept_and_not_watched(void **state) {
  static const Line script[] = {{200, "{}", .keep = 1}, {200, "{}", .keep = 1}};
  FakeService service;
  char url[128];
  (void)state;
  service_start(&service, script, COUNT(script));
  enter(service.url);
  snprintf(url, sizeof url, "%s/api/generate/1", service.url);
  poll_once(url);
  assert_int_equal(watched(), 0);
  assert_sleeps();
  assert_false(has_dead());
  poll_once(url);
  leave();
  service_stop(&service);
  assert_int_equal(service.asked, 2);
}

static void an_idle_connection_that_ends_wakes_nobody(void **state) {
  static const Line script[] = {{200, "{}", .keep = HUSHED},
                                {200, "{}", .keep = 1}};
  FakeService service;
  char url[128];
  (void)state;
  service_start(&service, script, COUNT(script));
  enter(service.url);
  snprintf(url, sizeof url, "%s/api/generate/1", service.url);
  poll_once(url);
  assert_sleeps();
  assert_true(has_dead());
  assert_false(loop_has_dead(&loop, 1)); /* of another origin */
  poll_once(url);                        /* on a new one */
  assert_false(has_dead());
  leave();
  service_stop(&service);
  assert_int_equal(service.asked, 2);
}

static void what_wakes_it_stays_when_libcurl_goes(void **state) {
  (void)state;
  enter("http://127.0.0.1:1");
  assert_null(loop_start_curl(&loop));
  loop_stop_curl(&loop);
  assert_false(has_dead());
  assert_sleeps();
  assert_int_equal(write(wake[1], "", 1), 1);
  loop_wait(&loop, (double)INFINITY);
  leave();
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

/* A descriptor that somebody has closed: it must not be told of for ever. */
static void a_watch_on_nothing_is_let_go(void **state) {
  int fd;
  (void)state;
  enter("http://127.0.0.1:1");
  assert_null(loop_start_curl(&loop));
  fd = dup(wake[0]);
  assert_true(watches_set(&loop.watches, fd, POLLIN));
  close(fd);
  loop_wait(&loop, (double)INFINITY);
  assert_int_equal(watched(), 0);
  leave();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_idle_connection_is_kept_and_not_watched),
      cmocka_unit_test(an_idle_connection_that_ends_wakes_nobody),
      cmocka_unit_test(what_wakes_it_stays_when_libcurl_goes),
      cmocka_unit_test(a_delay_while_an_exchange_begins_is_noticed),
      cmocka_unit_test(a_watch_on_nothing_is_let_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
