/* The receiving half of an exchange: headers, and the caps. */
#include "check.h"

#include "engine/http/http_limits.h"
#include "engine/http/http_refused.h"
#include "engine/http/http_reply.h"

#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEY "sk-12345"

/* A fresh exchange without a libcurl handle. */
static Exchange new_exchange(bool plain) {
  static char authorization[] = "Authorization: Bearer " KEY;
  static Service service = {.authorization = authorization};
  Exchange exchange = {.service = &service,
                       .without_key = plain,
                       .range_start = -1,
                       .range_total = -1};
  exchange.reply.retry_after = -1;
  buffer_init(&exchange.body, HTTP_REPLY_MAX);
  return exchange;
}

static size_t give(Exchange *exchange, const char *line) {
  char copy[512];
  size_t length = strlen(line);
  memcpy(copy, line, length); /* no NUL: libcurl promises none */
  return http_on_header(copy, 1, length, exchange);
}

/* ---- what libcurl makes of an answer ---- */

static curl_socket_t note_socket(void *user, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
  (void)purpose;
  return *(int *)user = socket(address->family, address->socktype, 0);
}

static int listen_here(char url[64]) {
  struct sockaddr_in here = {.sin_family = AF_INET};
  socklen_t size = sizeof here;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_int_equal(bind(listener, (struct sockaddr *)&here, size), 0);
  assert_int_equal(listen(listener, 1), 0);
  assert_int_equal(getsockname(listener, (struct sockaddr *)&here, &size), 0);
  snprintf(url, 64, "http://127.0.0.1:%d/", ntohs(here.sin_port));
  return listener;
}

/* An answer of these headers, and more of it perhaps, to whoever comes. */
static int answer(int listener, const char *headers, const char *rest) {
  int fd = accept(listener, NULL, NULL);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, headers, strlen(headers)), strlen(headers));
  assert_int_equal(write(fd, "\r\n", 2), 2);
  assert_int_equal(write(fd, rest, strlen(rest)), strlen(rest));
  assert_int_equal(shutdown(fd, SHUT_WR), 0);
  return fd;
}

/* Runs libcurl until it has read all of it. */
static void perform(CURLM *multi, const int *fd) {
  CURLMsg *message = NULL;
  int running, left;
  for (int permit = 0; !message && permit < 1000; permit++) {
    curl_lib.multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    curl_lib.multi_socket_action(multi, *fd, CURL_CSELECT_IN | CURL_CSELECT_OUT,
                                 &running);
    message = curl_lib.multi_info_read(multi, &left);
  }
  assert_non_null(message);
  assert_int_equal(message->data.result, CURLE_OK);
}

/* Lets libcurl read an answer. */
static Exchange receive(bool plain, const char *headers, const char *rest) {
  Exchange exchange = new_exchange(plain);
  char url[64];
  int fd = -1, running, listener = listen_here(url), server;
  CURLM *multi;
  assert_null(curl_lib_load());
  exchange.easy = curl_lib.easy_init();
  multi = curl_lib.multi_init();
  curl_lib.easy_setopt(exchange.easy, CURLOPT_URL, url);
  curl_lib.easy_setopt(exchange.easy, CURLOPT_PROXY, "");
  curl_lib.easy_setopt(exchange.easy, CURLOPT_OPENSOCKETFUNCTION, note_socket);
  curl_lib.easy_setopt(exchange.easy, CURLOPT_OPENSOCKETDATA, &fd);
  curl_lib.easy_setopt(exchange.easy, CURLOPT_WRITEFUNCTION, http_on_body);
  curl_lib.easy_setopt(exchange.easy, CURLOPT_WRITEDATA, &exchange);
  curl_lib.easy_setopt(exchange.easy, CURLOPT_HEADERFUNCTION, http_on_header);
  curl_lib.easy_setopt(exchange.easy, CURLOPT_HEADERDATA, &exchange);
  curl_lib.multi_add_handle(multi, exchange.easy);
  curl_lib.multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
  server = answer(listener, headers, rest);
  perform(multi, &fd);
  curl_lib.multi_remove_handle(multi, exchange.easy);
  curl_lib.easy_cleanup(exchange.easy);
  curl_lib.multi_cleanup(multi);
  close(server);
  close(listener);
  buffer_free(&exchange.body);
  return exchange;
}

#define OK "HTTP/1.1 200 OK\r\n"
#define SLOW "HTTP/1.1 429 Slow\r\n"

static void retry_after_is_read_from_either_header(void **state) {
  static const struct {
    const char *headers;
    double seconds;
  } rows[] = {
      {SLOW "Retry-After: 7\r\n", 7},
      {OK "Retry-After: 7\r\n", 7},
      {SLOW "retry-after:7\r\n", 7},
      {SLOW "RETRY-AFTER: \t 7 \t\r\n", 7},
      {SLOW "Retry-After: 7\n", 7},
      {SLOW "Retry-After-Ms: 1500\r\n", 1.5},
      {SLOW "Retry-After: 7\r\nretry-after-ms: 1500\r\n", 1.5},
      {SLOW "retry-after-ms: 1500\r\nRetry-After: 7\r\n", 1.5},
      {SLOW "retry-after-ms: soon\r\nRetry-After: 7\r\n", 7},
      {SLOW "Retry-After: soon\r\n", -1},
      {SLOW "Retry-After:\r\n", -1},
      {SLOW "X-Retry-After: 7\r\n", -1},
      {SLOW "Retry-Afterwards: 7\r\n", -1},
      {SLOW "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Retry-After: Sun, 06 Nov 1994 08:49:57 GMT\r\n",
       20},
      /* a later header block (after a 1xx) counts alone */
      {"HTTP/1.1 103 Early\r\nRetry-After: 7\r\n\r\n" OK, -1},
      {"HTTP/1.1 103 Early\r\nRetry-After: 7\r\n\r\n" SLOW "Retry-After: 8\r\n",
       8},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Exchange exchange = receive(false, rows[i].headers, "");
    check(fabs(exchange.reply.retry_after - rows[i].seconds) < 1e-9,
          "row %zu: %f", i, exchange.reply.retry_after);
    check(exchange.headers_done, "row %zu", i);
  }
}

static void trailers_say_nothing(void **state) {
  Exchange exchange = receive(true,
                              "HTTP/1.1 103 Early\r\n\r\n"
                              "HTTP/1.1 503 Down\r\n"
                              "Transfer-Encoding: chunked\r\n"
                              "Retry-After: 7\r\n",
                              "0\r\nRetry-After: 50\r\n"
                              "Retry-After-Ms: 50000\r\nETag: \"abc\"\r\n"
                              "Location: https://e.com/\r\n\r\n");
  (void)state;
  assert_int_equal(exchange.block_status, 503);
  assert_true(fabs(exchange.reply.retry_after - 7) < 1e-9);
  assert_true(exchange.framed);
  assert_string_equal(exchange.tag, "");
  assert_null(exchange.location);
}

/* An error's body is cut off, and the answer is one all the same. */
static void bodies_of_errors_have_a_small_maximum(void **state) {
  static const struct {
    bool plain;
    int status;
  } rows[] = {
      {false, 404}, {false, 302}, {true, 404}, {true, 302}, {true, 201}};
  static char block[HTTP_ERROR_MAX / 2];
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Exchange exchange = new_exchange(rows[i].plain);
    exchange.block_status = rows[i].status;
    for (int k = 0; k < 2; k++)
      check(http_on_body(block, 1, sizeof block, &exchange) == sizeof block,
            "row %zu", i);
    check(!exchange.curtailed, "row %zu", i);
    check(http_on_body(block, 1, 1, &exchange) == 0, "row %zu", i);
    check(exchange.curtailed && !exchange.too_large, "row %zu", i);
    check(exchange.body.length == (rows[i].plain ? 0 : HTTP_ERROR_MAX),
          "row %zu", i);
    buffer_free(&exchange.body);
  }
}

static void what_a_resumed_download_needs_is_kept(void **state) {
  static const struct {
    const char *headers;
    const char *tag;
    int start, total;
  } rows[] = {
      {"ETag: \"abc\"\r\n", "\"abc\"", -1, -1},
      {"ETag: W/\"abc\"\r\n", "", -1, -1}, /* weak */
      {"ETag: abc\r\n", "", -1, -1},
      {"ETag: \"a\rX-Injected: 1\"\r\n", "", -1, -1},
      {"ETag: \"a\x01\"\r\n", "", -1, -1},
      {"ETag: \"a\x7f\"\r\n", "", -1, -1},
      {"ETag: \"\r\n", "", -1, -1},
      {"Content-Range: bytes 42-99/100\r\n", "", 42, 100},
      {"Content-Range: bytes 7-99/*\r\n", "", 7, -1},
      {"Content-Range: lines 42-99/*\r\n", "", -1, -1},
      {"Content-Range: bytes -42/100\r\n", "", -1, 100},
      {"Content-Range: bytes */100\r\n", "", -1, 100},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    char headers[128];
    Exchange exchange;
    snprintf(headers, sizeof headers, OK "%s", rows[i].headers);
    exchange = receive(true, headers, "");
    check(strcmp(exchange.tag, rows[i].tag) == 0, "row %zu: '%s'", i,
          exchange.tag);
    check(exchange.range_start == rows[i].start, "row %zu", i);
    check(exchange.range_total == rows[i].total, "row %zu", i);
  }
}

static void a_long_tag_is_not_kept(void **state) {
  (void)state;
  for (int more = 0; more < 2; more++) {
    char headers[256];
    int length = HTTP_TAG_MAX - 2 + more;
    Exchange exchange;
    snprintf(headers, sizeof headers, OK "ETag: \"%0*d\"\r\n", length, 0);
    exchange = receive(true, headers, "");
    assert_int_equal(strlen(exchange.tag), more ? 0 : HTTP_TAG_MAX);
  }
}

static void an_answers_end_may_be_told(void **state) {
  static const struct {
    const char *headers;
    bool framed;
  } rows[] = {{OK, false},
              {OK "Content-Length: 0\r\n", true},
              {"HTTP/1.1 103 Early\r\nContent-Length: 0\r\n\r\n" OK, false}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    check(receive(true, rows[i].headers, "").framed == rows[i].framed,
          "row %zu", i);
}

static void where_a_redirect_leads_is_kept(void **state) {
  static const char moved[] = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n";
  static char headers[HTTP_LOCATION_MAX + 128];
  Exchange exchange;
  (void)state;
  for (int more = 0; more < 2; more++) {
    snprintf(headers, sizeof headers, "%sLocation: /%0*d\r\n", moved,
             HTTP_LOCATION_MAX - 1 + more, 0);
    exchange = receive(true, headers, "");
    assert_int_equal(exchange.location == NULL, more);
    free(exchange.location);
  }
  snprintf(headers, sizeof headers, "%sLocation: /" KEY "\r\n", moved);
  exchange = receive(true, headers, "");
  assert_string_equal(exchange.location, "/[key]");
  free(exchange.location);
}

static void the_service_needs_no_tags(void **state) {
  Exchange exchange = receive(false, OK "ETag: \"abc\"\r\n", "");
  (void)state;
  assert_string_equal(exchange.tag, "");
}

static void headers_have_a_maximum(void **state) {
  static const char line[] = "X-Filler: 0123456789012345678901234567890123456"
                             "789012345678901234567890123456789\r\n";
  Exchange exchange = new_exchange(false);
  size_t total = 0;
  (void)state;
  while (total + strlen(line) <= HTTP_HEADERS_MAX) {
    assert_int_equal(give(&exchange, line), strlen(line));
    total += strlen(line);
  }
  assert_false(exchange.too_large);
  assert_int_equal(give(&exchange, line), 0);
  assert_true(exchange.too_large);
}

static void replies_have_a_maximum(void **state) {
  static char block[1 << 18];
  Exchange exchange = new_exchange(false);
  (void)state;
  for (unsigned i = 0; i < 4; i++)
    assert_int_equal(http_on_body(block, 1, sizeof block, &exchange),
                     sizeof block);
  assert_int_equal(exchange.body.length, HTTP_REPLY_MAX);
  assert_false(exchange.too_large);
  assert_int_equal(http_on_body(block, 1, 1, &exchange), 0);
  assert_true(exchange.too_large);
  buffer_free(&exchange.body);
}

/* However the reply is cut into pieces. */
static void the_key_gets_no_further(void **state) {
  static const char reply[] = "a" KEY "b" KEY KEY "\0c\\u0073k-1\\/2345"
                              "\\u0073k-1\\u00323%345";
  static const char kept[] = "a[key]b[key][key]\0c\\u0073k-1\\/2345[key]";
  (void)state;
  for (size_t piece = 1; piece < sizeof reply; piece++) {
    Exchange exchange = new_exchange(false);
    char copy[sizeof reply];
    memcpy(copy, reply, sizeof reply);
    for (size_t at = 0; at < sizeof reply - 1; at += piece) {
      size_t left = sizeof reply - 1 - at;
      size_t length = left < piece ? left : piece;
      assert_int_equal(http_on_body(copy + at, 1, length, &exchange), length);
    }
    http_hide_key(&exchange);
    assert_int_equal(exchange.body.length, sizeof kept - 1);
    assert_memory_equal(exchange.body.data, kept, sizeof kept);
    buffer_free(&exchange.body);
  }
}

/* Only in libcurl's own words, before anything of an answer. */
static void a_refused_stream_is_known_by_its_words(void **state) {
  static const struct {
    const char *text;
    bool refused, http1;
  } rows[] = {
      {"REFUSED_STREAM, retrying a fresh connect\n", true, false},
      {"Downgrades to HTTP/1.1\n", true, true},
      {"recveived GOAWAY, error=0, last_stream=0\n", true, false},
      {"received GOAWAY, error=11, last_stream=0", true, false},
      {"received GOAWAY, error=0, last_stream=01\n", false, false},
      {"received GOAWAY, error=0, last_stream=1\n", false, false},
      {"received GOAWAY, error=0, last_stream=2147483647\n", false, false},
      {"received GOAWAY, error=0\n", false, false},
      {"h2 [idempotency-key: REFUSED_STREAM, retrying a fresh connect]", false,
       false},
      {"REFUSED_STREAM", false, false},
      {"Connection died, retrying a fresh connect (retry count: 1)", false,
       false},
      {"", false, false},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    for (int kind = 0; kind < 5; kind++) {
      Exchange exchange = new_exchange(false);
      char text[128];
      size_t length = strlen(rows[i].text);
      memcpy(text, rows[i].text, length);
      exchange.service->needs_http1 = false;
      exchange.service->secure = kind != 4; /* plain http has no streams */
      exchange.sent_once = kind != 1;
      exchange.header_bytes = kind == 2 ? 9 : 0;
      http_on_debug(NULL, kind == 3 ? CURLINFO_HEADER_IN : CURLINFO_TEXT, text,
                    length, &exchange);
      check(exchange.refused == (kind == 0 && rows[i].refused), "row %zu, %d",
            i, kind);
      check(exchange.service->needs_http1 == (kind == 0 && rows[i].http1),
            "row %zu, %d", i, kind);
      exchange.service->secure = false;
    }
}

/* The monotonic clock stands still while the machine sleeps: what is kept looks
 * young.  Exchanges from before may hang on for as long as they may take. */
static void no_create_uses_a_connection_from_before_a_sleep(void **state) {
  Exchange poll = {.until = 160};
  Exchange image = {.until = 900, .without_key = true};
  Loop loop = {.asleep = 50};
  (void)state;
  queue_append(&loop.running, &image.link);
  queue_append(&loop.running, &poll.link);
  assert_false(http_limits_stale(&loop, 50, 100));
  assert_false(http_limits_stale(&loop, 50.1, 100)); /* clocks differ a bit */
  assert_true(http_limits_stale(&loop, 60, 101));
  assert_true(http_limits_stale(&loop, 60, 162));
  assert_false(http_limits_stale(&loop, 60, 164));
  loop.running = (Queue){0};
  assert_true(http_limits_stale(&loop, 3600, 200));
  assert_true(http_limits_stale(&loop, 3600, 202));
  assert_false(http_limits_stale(&loop, 3600, 204));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(retry_after_is_read_from_either_header),
      cmocka_unit_test(trailers_say_nothing),
      cmocka_unit_test(a_refused_stream_is_known_by_its_words),
      cmocka_unit_test(no_create_uses_a_connection_from_before_a_sleep),
      cmocka_unit_test(bodies_of_errors_have_a_small_maximum),
      cmocka_unit_test(what_a_resumed_download_needs_is_kept),
      cmocka_unit_test(a_long_tag_is_not_kept),
      cmocka_unit_test(an_answers_end_may_be_told),
      cmocka_unit_test(where_a_redirect_leads_is_kept),
      cmocka_unit_test(the_service_needs_no_tags),
      cmocka_unit_test(headers_have_a_maximum),
      cmocka_unit_test(replies_have_a_maximum),
      cmocka_unit_test(the_key_gets_no_further),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
