/* The receiving half of an exchange: headers, and the caps. */
#include "check.h"

#include "engine/http/http_limits.h"
#include "engine/http/http_refused.h"
#include "engine/http/http_reply.h"

#include <math.h>
#include <string.h>

#define KEY "sk-12345"

/* A fresh exchange without a libcurl handle. */
static Exchange new_exchange(bool plain) {
  static char authorization[] = "Authorization: Bearer " KEY;
  static Service service = {.authorization = authorization};
  Exchange exchange = {.service = &service,
                       .without_key = plain,
                       .range_start = -1,
                       .range_total = -1,
                       .date = -1};
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

static void retry_after_is_read_from_either_header(void **state) {
  static const struct {
    const char *lines[3];
    double seconds;
  } rows[] = {
      {{"Retry-After: 7\r\n"}, 7},
      {{"retry-after:7\r\n"}, 7},
      {{"RETRY-AFTER: \t 7 \t\r\n"}, 7},
      {{"Retry-After: 7"}, 7},
      {{"Retry-After-Ms: 1500\r\n"}, 1.5},
      {{"Retry-After: 7\r\n", "retry-after-ms: 1500\r\n"}, 1.5},
      {{"retry-after-ms: 1500\r\n", "Retry-After: 7\r\n"}, 1.5},
      {{"retry-after-ms: soon\r\n", "Retry-After: 7\r\n"}, 7},
      {{"Retry-After: 7\r\n", "retry-after-ms: soon\r\n"}, 7},
      {{"Retry-After: soon\r\n"}, -1},
      {{"Retry-After:\r\n"}, -1},
      {{"Retry-After\r\n"}, -1},
      {{"X-Retry-After: 7\r\n"}, -1},
      {{"Retry-Afterwards: 7\r\n"}, -1},
      {{"Retry-After: 0000000000000000000000000000000000000000000000000000000"
        "0000000000007\r\n"},
       -1},
      /* a later header block (after a 1xx) counts alone */
      {{"HTTP/1.1 103 Early\r\n", "Retry-After: 7\r\n", "HTTP/1.1 200\r\n"},
       -1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Exchange exchange = new_exchange(false);
    for (size_t k = 0; k < 3 && rows[i].lines[k]; k++)
      check(give(&exchange, rows[i].lines[k]) == strlen(rows[i].lines[k]),
            "row %zu", i);
    check(fabs(exchange.reply.retry_after - rows[i].seconds) < 1e-9,
          "row %zu: %f", i, exchange.reply.retry_after);
  }
}

/* Whatever our clock says, and in either order. */
static void a_date_is_read_by_the_answers_own(void **state) {
  static const char date[] = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
  static const char after[] = "Retry-After: Sun, 06 Nov 1994 08:49:57 GMT\r\n";
  (void)state;
  for (int first = 0; first < 2; first++) {
    Exchange exchange = new_exchange(false);
    give(&exchange, "HTTP/1.1 429 Slow\r\n");
    give(&exchange, first ? date : after);
    give(&exchange, first ? after : date);
    give(&exchange, "\r\n");
    assert_true(fabs(exchange.reply.retry_after - 20) < 1e-9);
  }
}

static void trailers_say_nothing(void **state) {
  Exchange exchange = new_exchange(true);
  (void)state;
  give(&exchange, "HTTP/1.1 103 Early\r\n");
  give(&exchange, "\r\n");
  give(&exchange, "HTTP/1.1 503 Down\r\n");
  give(&exchange, "Retry-After: 7\r\n");
  give(&exchange, "\r\n");
  give(&exchange, "Retry-After: 50\r\n");
  give(&exchange, "Retry-After-Ms: 50000\r\n");
  give(&exchange, "ETag: \"abc\"\r\n");
  give(&exchange, "Location: https://e.com/\r\n");
  give(&exchange, "HTTP/1.1 200 OK\r\n");
  assert_int_equal(exchange.block_status, 503);
  assert_true(fabs(exchange.reply.retry_after - 7) < 1e-9);
  assert_string_equal(exchange.tag, "");
  assert_null(exchange.location);
}

/* An error's body is cut off, and the answer is one all the same. */
static void bodies_of_errors_have_a_small_maximum(void **state) {
  static const struct {
    bool plain;
    const char *status;
  } rows[] = {{false, "HTTP/1.1 404 No\r\n"},
              {false, "HTTP/1.1 302 No\r\n"},
              {true, "HTTP/1.1 404 No\r\n"},
              {true, "HTTP/1.1 302 No\r\n"},
              {true, "HTTP/1.1 201 Yes\r\n"}};
  static char block[HTTP_ERROR_MAX / 2];
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Exchange exchange = new_exchange(rows[i].plain);
    give(&exchange, rows[i].status);
    give(&exchange, "\r\n");
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
  char long_tag[200];
  Exchange exchange = new_exchange(true);
  (void)state;
  give(&exchange, "ETag: \"abc\"\r\n");
  assert_string_equal(exchange.tag, "\"abc\"");
  give(&exchange, "Content-Range: bytes 42-99/100\r\n");
  assert_int_equal(exchange.range_start, 42);
  assert_int_equal(exchange.range_total, 100);
  give(&exchange, "HTTP/1.1 200 OK\r\n");
  assert_string_equal(exchange.tag, "");
  assert_int_equal(exchange.range_start, -1);
  assert_int_equal(exchange.range_total, -1);
  give(&exchange, "Content-Range: bytes 7-99/*\r\n");
  assert_int_equal(exchange.range_start, 7);
  assert_int_equal(exchange.range_total, -1);
  give(&exchange, "HTTP/1.1 200 OK\r\n");
  give(&exchange, "ETag: W/\"abc\"\r\n"); /* weak */
  assert_string_equal(exchange.tag, "");
  give(&exchange, "ETag: abc\r\n");
  assert_string_equal(exchange.tag, "");
  give(&exchange, "ETag: \"a\rX-Injected: 1\"\r\n");
  assert_string_equal(exchange.tag, "");
  give(&exchange, "ETag: \"a\x7f\"\r\n");
  assert_string_equal(exchange.tag, "");
  give(&exchange, "Content-Range: lines 42-99/100\r\n");
  assert_int_equal(exchange.range_start, -1);
  give(&exchange, "Content-Range: bytes -42/100\r\n");
  assert_int_equal(exchange.range_start, -1);
  give(&exchange, "Content-Range: bytes */100\r\n");
  assert_int_equal(exchange.range_start, -1);
  memset(long_tag, '"', sizeof long_tag);
  memcpy(long_tag, "ETag: ", 6);
  memcpy(long_tag + sizeof long_tag - 3, "\r\n", 3);
  give(&exchange, long_tag);
  assert_string_equal(exchange.tag, "");
}

static void the_service_needs_no_tags(void **state) {
  Exchange exchange = new_exchange(false);
  (void)state;
  give(&exchange, "ETag: \"abc\"\r\n");
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
  Loop loop = {.asleep = 50, .running = &image};
  (void)state;
  image.next = &poll;
  assert_false(http_limits_stale(&loop, 50, 100));
  assert_false(http_limits_stale(&loop, 50.1, 100)); /* clocks differ a bit */
  assert_true(http_limits_stale(&loop, 60, 101));
  assert_true(http_limits_stale(&loop, 60, 162));
  assert_false(http_limits_stale(&loop, 60, 164));
  loop.running = NULL;
  assert_true(http_limits_stale(&loop, 3600, 200));
  assert_true(http_limits_stale(&loop, 3600, 202));
  assert_false(http_limits_stale(&loop, 3600, 204));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(retry_after_is_read_from_either_header),
      cmocka_unit_test(a_date_is_read_by_the_answers_own),
      cmocka_unit_test(trailers_say_nothing),
      cmocka_unit_test(a_refused_stream_is_known_by_its_words),
      cmocka_unit_test(no_create_uses_a_connection_from_before_a_sleep),
      cmocka_unit_test(bodies_of_errors_have_a_small_maximum),
      cmocka_unit_test(what_a_resumed_download_needs_is_kept),
      cmocka_unit_test(the_service_needs_no_tags),
      cmocka_unit_test(headers_have_a_maximum),
      cmocka_unit_test(replies_have_a_maximum),
      cmocka_unit_test(the_key_gets_no_further),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
