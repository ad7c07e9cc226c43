/* The receiving half of an exchange: see http_reply.h. */
#include "http_reply.h"

#include "engine/base/address.h"
#include "engine/base/clock.h"
#include "engine/base/redact.h"
#include "http_failure.h"
#include "http_limits.h"
#include "http_shortage.h"
#include "retry_after.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The answer's header `name`, without the space around it; NULL when it has
 * none.  Those of 1xx answers before it, and trailers, are other ones.  It
 * stays until the handle is used again. */
static const char *header(const Exchange *exchange, const char *name) {
  struct curl_header *found;
  return curl_lib.easy_header(exchange->easy, name, 0, CURLH_HEADER, -1,
                              &found) == CURLHE_OK
             ? found->value
             : NULL;
}

/* A strong entity tag that can be sent back as it is: a weak one does not
 * promise the same bytes, and a line end inside would begin another header. */
static bool is_usable_tag(const char *tag) {
  size_t length = tag ? strlen(tag) : 0;
  if (length < 2 || length > HTTP_TAG_MAX || tag[0] != '"' ||
      tag[length - 1] != '"')
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
static void read_range_headers(Exchange *exchange) {
  const char *tag = header(exchange, "etag");
  const char *range = header(exchange, "content-range");
  const char *total = range ? strchr(range, '/') : NULL;
  long version = 0;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_HTTP_VERSION, &version);
  exchange->framed = version > CURL_HTTP_VERSION_1_1 || /* they always are */
                     header(exchange, "content-length") ||
                     header(exchange, "transfer-encoding");
  if (is_usable_tag(tag))
    memcpy(exchange->tag, tag, strlen(tag) + 1);
  if (range && strncasecmp(range, "bytes ", 6) == 0 && is_digit(range[6]))
    exchange->range_start = strtoll(range + 6, NULL, 10);
  if (total && is_digit(total[1]))
    exchange->range_total = strtoll(total + 1, NULL, 10);
}

/* Where a redirect leads, without the key: errors show it.  libcurl knows, too,
 * but leaves out user names in some versions and tells nothing of an answer
 * that was not read to its end.  NULL without memory, too. */
static void read_location(Exchange *exchange) {
  const char *text = header(exchange, "location");
  char *copy;
  if (!text || !*text || strlen(text) > HTTP_LOCATION_MAX)
    return;
  exchange->location = copy = strdup(text);
  if (copy)
    copy[redact(copy, strlen(copy), service_key(exchange->service))] = '\0';
}

/* All headers of a block are there; only those of the answer itself count. */
static void end_block(Exchange *exchange) {
  long status = 0;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
  exchange->block_status = (int)status;
  exchange->headers_done = status >= 200;
  if (!exchange->headers_done)
    return;
  exchange->reply.retry_after = retry_after_read(
      header(exchange, "retry-after-ms"), header(exchange, "retry-after"),
      header(exchange, "date"), clock_wall());
  if (exchange->without_key) {
    read_range_headers(exchange);
    read_location(exchange);
  }
}

size_t http_on_header(char *line, size_t one, size_t length, void *user) {
  Exchange *exchange = user;
  (void)one; /* always 1 */
  exchange->header_bytes += length;
  if (exchange->header_bytes > HTTP_HEADERS_MAX) {
    exchange->too_large = true;
    return 0;
  }
  /* What comes behind them is a trailer: it says nothing to us. */
  if (!exchange->headers_done && (line[0] == '\r' || line[0] == '\n'))
    end_block(exchange);
  return length;
}

void http_hide_key(Exchange *exchange) {
  Buffer *body = &exchange->body;
  if (body->length == 0)
    return;
  body->length =
      redact(body->data, body->length, service_key(exchange->service));
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
