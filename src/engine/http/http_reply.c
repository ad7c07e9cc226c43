/* The receiving half of an exchange: see http_reply.h. */
#include "http_reply.h"

#include "engine/base/address.h"
#include "engine/base/clock.h"
#include "engine/base/secret.h"
#include "http_failure.h"
#include "http_limits.h"
#include "http_shortage.h"
#include "retry_after.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The value of `line` when it is the header `name` (in lower case), copied into
 * `out` without its line end; false when it is another header or too long. */
static bool header_value(const char *line, size_t length, const char *name,
                         char *out, size_t size) {
  size_t skip = strlen(name);
  if ((line[0] | 0x20) != name[0]) /* nearly always: a byte tells */
    return false;
  if (length <= skip || strncasecmp(line, name, skip) != 0 || line[skip] != ':')
    return false;
  for (skip++; skip < length && (line[skip] == ' ' || line[skip] == '\t');)
    skip++;
  while (length > skip && strchr("\r\n \t", line[length - 1]))
    length--;
  if (length - skip >= size)
    return false;
  memcpy(out, line + skip, length - skip);
  out[length - skip] = '\0';
  return true;
}

/* A date is one of the server's clock, whose time the answer tells. */
static void read_wait_text(Exchange *exchange) {
  double now = exchange->date >= 0 ? exchange->date : clock_wall();
  exchange->reply.retry_after = retry_after_parse(exchange->wait_text, now);
}

/* The milliseconds count where both are given, in either order. */
static void read_retry_after(Exchange *exchange, const char *line,
                             size_t length) {
  char value[sizeof exchange->wait_text];
  if (header_value(line, length, "retry-after-ms", value, sizeof value)) {
    double seconds = retry_after_parse_ms(value);
    if (seconds < 0)
      return;
    exchange->reply.retry_after = seconds;
    exchange->wait_text[0] = '\0';
  } else if (exchange->reply.retry_after < 0 &&
             header_value(line, length, "retry-after", value, sizeof value)) {
    memcpy(exchange->wait_text, value, sizeof value);
    read_wait_text(exchange);
  } else if (header_value(line, length, "date", value, sizeof value)) {
    exchange->date = retry_after_parse_date(value);
    if (exchange->wait_text[0])
      read_wait_text(exchange);
  }
}

/* A strong entity tag that can be sent back as it is: a weak one does not
 * promise the same bytes, and a line end inside would begin another header. */
static bool is_usable_tag(const char *tag) {
  if (*tag != '"')
    return false;
  for (; *tag; tag++)
    if ((unsigned char)*tag < 0x20 || *tag == 0x7f)
      return false;
  return true;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* What tells whether all of it came, and what a later Range request needs. */
static void read_range_headers(Exchange *exchange, const char *line,
                               size_t length) {
  char value[HTTP_TAG_MAX + 1];
  if (header_value(line, length, "content-length", value, sizeof value) ||
      header_value(line, length, "transfer-encoding", value, sizeof value))
    exchange->framed = true;
  if (header_value(line, length, "etag", value, sizeof value)) {
    if (is_usable_tag(value))
      memcpy(exchange->tag, value, sizeof value);
  } else if (header_value(line, length, "content-range", value, sizeof value)) {
    const char *total = strchr(value, '/');
    if (strncasecmp(value, "bytes ", 6) == 0 && is_digit(value[6]))
      exchange->range_start = strtoll(value + 6, NULL, 10);
    if (total && is_digit(total[1]))
      exchange->range_total = strtoll(total + 1, NULL, 10);
  }
}

/* Without the key: errors show where a redirect leads.  NULL: no memory. */
static char *copy_location(const Exchange *exchange, const char *text,
                           size_t length) {
  char *copy = strndup(text, length); /* a NUL ends it */
  if (copy)
    copy[secret_hide(copy, strlen(copy), service_key(exchange->service))] =
        '\0';
  return copy;
}

/* Where a redirect leads.  libcurl knows, too, but leaves out user names in
 * some versions and tells nothing of an answer that was not read to its end. */
static void read_location(Exchange *exchange, const char *line, size_t length) {
  static const char name[] = "location:";
  size_t skip = sizeof name - 1;
  if (exchange->location || length <= skip ||
      length - skip > HTTP_LOCATION_MAX || strncasecmp(line, name, skip) != 0)
    return;
  while (skip < length && (line[skip] == ' ' || line[skip] == '\t'))
    skip++;
  while (length > skip && strchr("\r\n \t", line[length - 1]))
    length--;
  if (length > skip)
    exchange->location = copy_location(exchange, line + skip, length - skip);
}

/* A further block of headers begins: only the last one counts. */
static void begin_block(Exchange *exchange, const char *line, size_t length) {
  const char *space = memchr(line, ' ', length);
  exchange->block_status = 0;
  for (; space && ++space < line + length && is_digit(*space);)
    exchange->block_status =
        (exchange->block_status * 10 + (*space - '0')) % 1000;
  exchange->reply.retry_after = exchange->date = -1;
  exchange->range_start = exchange->range_total = -1;
  exchange->tag[0] = exchange->wait_text[0] = '\0';
  free(exchange->location);
  exchange->location = NULL;
  exchange->headers_done = false;
  exchange->framed = line[5] != '1'; /* HTTP/2 always does */
}

size_t http_on_header(char *line, size_t one, size_t length, void *user) {
  Exchange *exchange = user;
  (void)one; /* always 1 */
  exchange->header_bytes += length;
  if (exchange->header_bytes > HTTP_HEADERS_MAX) {
    exchange->too_large = true;
    return 0;
  }
  if (exchange->headers_done && exchange->block_status >= 200)
    return length; /* a trailer: it says nothing to us */
  if (length > 5 && memcmp(line, "HTTP/", 5) == 0) {
    begin_block(exchange, line, length);
    return length;
  }
  if (line[0] == '\r' || line[0] == '\n')
    exchange->headers_done = true;
  read_retry_after(exchange, line, length);
  if (exchange->without_key) {
    read_range_headers(exchange, line, length);
    read_location(exchange, line, length);
  }
  return length;
}

void http_hide_key(Exchange *exchange) {
  Buffer *body = &exchange->body;
  if (body->length == 0)
    return;
  body->length =
      secret_hide(body->data, body->length, service_key(exchange->service));
  body->data[body->length] = '\0';
}

static bool keep_body(Exchange *exchange, const char *bytes, size_t length) {
  exchange->too_large = length > HTTP_REPLY_MAX - exchange->body.length;
  return buffer_append(&exchange->body, bytes, length);
}

/* The body of an error costs its sender nothing and may never end.  Of the
 * service's there must be enough to read and to show; that of another host
 * nobody reads, and it is only waited for so that the connection can be kept.
 * More than enough is as good as its end. */
static bool keep_error(Exchange *exchange, const char *bytes, size_t length) {
  size_t room = HTTP_ERROR_MAX - exchange->error_bytes;
  size_t taken = length < room ? length : room;
  if (exchange->without_key && exchange->error_bytes == 0)
    http_limits_hurry(exchange);
  exchange->error_bytes += taken;
  exchange->curtailed = taken < length;
  if (!exchange->without_key && !buffer_append(&exchange->body, bytes, taken))
    return false;
  return !exchange->curtailed;
}

/* Of which the body is what was asked for. */
static bool is_success(const Exchange *exchange) {
  int status = exchange->block_status;
  if (exchange->without_key)
    return status == 200 || status == 206;
  return status < 300; /* or not known, in a test */
}

size_t http_on_body(char *bytes, size_t one, size_t length, void *user) {
  Exchange *exchange = user;
  (void)one; /* always 1 */
  if (!is_success(exchange))
    return keep_error(exchange, bytes, length) ? length : 0;
  if (!exchange->sink)
    return keep_body(exchange, bytes, length) ? length : 0;
  exchange->reply.status = exchange->block_status;
  if (exchange->stall > 0)
    exchange->heard_at = clock_monotonic();
  exchange->stopped = !exchange->sink(exchange, bytes, length);
  return exchange->stopped ? 0 : length;
}

/* Whether the request, or a part of it, may have reached the other side.  What
 * was said to a proxy to get through it counts in the size, too: only the guard
 * knows when a request went out.  Over TLS the size proves nothing: an HTTP/2
 * send may fail after its frames are out, and none of them is counted then.
 * Nor is a request counted whose first bytes the system did not take at once,
 * though all of it goes out a moment later. */
static bool was_sent(const Exchange *exchange) {
  long request_bytes = 0;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
  return exchange->sent_once && !exchange->refused &&
         (request_bytes > 0 || exchange->wrote ||
          (exchange->create && exchange->service->secure));
}

/* Creates go by it: see choose_connection in http.c. */
static void note_version(const Exchange *exchange) {
  long version = 0;
  if (exchange->without_key || !exchange->service->secure)
    return;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_HTTP_VERSION, &version);
  exchange->service->http1 = version <= CURL_HTTP_VERSION_1_1;
}

/* Where the service is, as far as the address tells that was connected to. */
static void look_at_address(const Exchange *exchange) {
  Service *service = exchange->service;
  char *ip = NULL;
  if (exchange->without_key || service->inside || service->settings.proxy)
    return;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_PRIMARY_IP, &ip);
  service->inside = ip && *ip && !address_is_public_text(ip);
}

void http_read_outcome(Exchange *exchange, CURLcode code) {
  bool sent = was_sent(exchange);
  long status = 0;
  http_hide_key(exchange);
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
  exchange->reply.status = (int)status;
  exchange->reply.timed_out = code == CURLE_OPERATION_TIMEDOUT;
  if ((code == CURLE_OK || exchange->curtailed) && exchange->headers_done &&
      status >= 200) {
    if (http_refused_by_proxy(exchange)) {
      exchange->reply.kind = OUTCOME_HOPELESS;
      return;
    }
    exchange->reply.kind = OUTCOME_ANSWERED;
    note_version(exchange);
    look_at_address(exchange);
    return;
  }
  if (code == CURLE_OK) /* libcurl takes an end among the headers for one */
    code = CURLE_PARTIAL_FILE;
  if (exchange->blocked) { /* its failure says why */
    exchange->reply.kind = OUTCOME_HOPELESS;
    return;
  }
  http_explain(exchange, code, sent);
  exchange->reply.partial =
      sent && status / 100 == 2 && exchange->body.length > 0;
  if (sent && exchange->create)
    http_limits_distrust(exchange);
  exchange->shortage = sent ? NULL : http_find_shortage(exchange, code);
  if (sent)
    exchange->reply.kind = OUTCOME_LOST;
  else if (http_is_certificate_error(code) &&
           !exchange->shortage) /* the certificates are files, too */
    exchange->reply.kind = OUTCOME_HOPELESS;
  else
    exchange->reply.kind = OUTCOME_NOT_SENT;
}
