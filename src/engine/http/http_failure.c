/* Why an exchange came to nothing: see http_failure.h. */
#include "http_failure.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Later versions' CURLE_TOO_LARGE. */
#define TOO_LARGE 100

bool http_is_certificate_error(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION ||
         code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR ||
         code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_INVALIDCERTSTATUS;
}

/* ---- proxies ---- */

/* What the proxy said to CONNECT, or 0. */
static int connect_status(const Exchange *exchange) {
  long status = 0;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_HTTP_CONNECTCODE, &status);
  return (int)status;
}

static const char *wanted_by_proxy(const Exchange *exchange, int status) {
  if (status != 407)
    return "";
  return strchr(exchange->service->settings.proxy, '@')
             ? ": it does not take the user name and the password in the "
               "option proxy"
             : ": it wants a user name and a password in the option proxy";
}

/* Whether the request went to the proxy itself, which was to pass it on: plain
 * http through a proxy that speaks HTTP. */
static bool is_passed_on(const Exchange *exchange) {
  const char *proxy = exchange->service->settings.proxy;
  char *url = NULL;
  if (!proxy || strncasecmp(proxy, "http", 4) != 0)
    return false;
  if (!exchange->without_key)
    return !exchange->service->secure;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_EFFECTIVE_URL, &url);
  return url && strncasecmp(url, "http:", 5) == 0;
}

/* No other server may answer so (RFC 9110, 15.5.8).  A create is not sent again
 * all the same: that would change nothing. */
bool http_refused_by_proxy(Exchange *exchange) {
  int status = exchange->reply.status;
  if (status != 407 || !is_passed_on(exchange))
    return false;
  failure_set(&exchange->failure, "network", "proxy_failed",
              "the proxy answered with HTTP status %d%s", status,
              wanted_by_proxy(exchange, status));
  return true;
}

static void explain_proxy(Exchange *exchange, const char *said) {
  int status = connect_status(exchange);
  if (status >= 300) {
    exchange->reply.status = status;
    failure_set(&exchange->failure, "network", "proxy_failed",
                "the proxy answered CONNECT with HTTP status %d%s", status,
                wanted_by_proxy(exchange, status));
  } else {
    failure_set(&exchange->failure, "network", "proxy_failed",
                "the proxy let nothing through: %s", said);
  }
}

/* Of names that are not found some libcurls (7.88) tell the other way round
 * behind SOCKS: of the proxy's as of a host's, and of the service's, which they
 * look up for the proxy, as of a handshake with it; others (8.23) as of all.
 * The text says which name it was. */
static bool is_proxy_unknown(const Exchange *exchange) {
  const char *proxy = exchange->service->settings.proxy;
  const char *name = strrchr(exchange->error, ' ');
  return strncasecmp(proxy, "socks", 5) == 0 && name && strstr(proxy, name + 1);
}

static bool is_unknown_behind_socks(const Exchange *exchange) {
  long detail = 0;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_PROXY_ERROR, &detail);
  return detail == CURLPX_RESOLVE_HOST;
}

/* Whether what failed was between the proxy and us.  What is behind it fails by
 * its name, or by TLS; time and memory are nobody's. */
static bool is_the_proxys(const Exchange *exchange, CURLcode code) {
  if (!exchange->service->settings.proxy || exchange->sent_once)
    return false;
  if (connect_status(exchange) >= 300)
    return true;
  switch (code) {
  case CURLE_COULDNT_RESOLVE_HOST:
    return is_proxy_unknown(exchange);
  case CURLE_PROXY:
    return !is_unknown_behind_socks(exchange);
  case CURLE_OPERATION_TIMEDOUT:
  case CURLE_OUT_OF_MEMORY:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_HTTP2:
    return false;
  default:
    return !http_is_certificate_error(code);
  }
}

/* ---- heads ---- */

/* A line that is too long for libcurl looks like a lack of memory in many of
 * its versions: whether there is some, the system says. */
static bool is_endless_line(const Exchange *exchange, CURLcode code) {
  void *memory;
  if ((int)code == TOO_LARGE)
    return true;
  if (code != CURLE_OUT_OF_MEMORY || !exchange->sent_once ||
      exchange->headers_done)
    return false;
  memory = malloc(4 * HTTP_HEADERS_MAX);
  free(memory);
  return memory != NULL;
}

static void explain_size(Exchange *exchange) {
  bool head =
      exchange->header_bytes > HTTP_HEADERS_MAX || !exchange->headers_done;
  const char *what = "the reply is larger than its limit";
  if (head && exchange->block_status / 100 == 1)
    what = "the reply begins with more than 64 KiB of 1xx answers";
  else if (head)
    what = "the head of the reply is larger than 64 KiB";
  exchange->too_large = true;
  failure_set(&exchange->failure, "protocol", "reply_too_large", "%s", what);
}

/* ---- all ---- */

static const char *network_code(CURLcode code, bool sent) {
  switch (code) {
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_PROXY: /* behind SOCKS; all else of it is the proxy's */
    return "dns_failed";
  case CURLE_COULDNT_CONNECT:
    return "connect_failed";
  case CURLE_OPERATION_TIMEDOUT:
    return sent ? "reply_timeout" : "connect_timeout";
  case CURLE_OUT_OF_MEMORY:
  case CURLE_WRITE_ERROR: /* of ours: there was none for the body */
    return "out_of_memory";
  case CURLE_PARTIAL_FILE:
    return "reply_cut_off";
  default:
    return sent ? "connection_lost" : "connect_failed";
  }
}

/* What happened, in libcurl's words where ours do not say more.  Those may hold
 * the proxy's URL. */
static const char *words_for(const Exchange *exchange, CURLcode code) {
  const char *said = exchange->error;
  if (exchange->refused)
    return "the server refused the HTTP/2 stream and did not handle it";
  if (code == CURLE_OPERATION_TIMEDOUT)
    return exchange->sent_once ? "the time for the exchange ran out"
                               : "no connection was made in time";
  if (code == CURLE_ABORTED_BY_CALLBACK) /* the guard */
    return "the connection was lost before an answer came";
  if (!*said || service_is_secret(exchange->service, said))
    said = curl_lib.easy_strerror(code);
  return said;
}

void http_explain(Exchange *exchange, CURLcode code, bool sent) {
  const char *said = words_for(exchange, code);
  if (is_the_proxys(exchange, code))
    explain_proxy(exchange, said);
  else if (exchange->too_large || is_endless_line(exchange, code))
    explain_size(exchange);
  else if (code == CURLE_SSL_CACERT_BADFILE) /* no fault of the service's */
    failure_set(&exchange->failure, "tls", "ca_file_unreadable",
                "option 'ca_file' names no file of certificates: %s", said);
  else if (http_is_certificate_error(code))
    failure_set(&exchange->failure, "tls", "certificate_refused", "%s", said);
  else if (code == CURLE_SSL_CONNECT_ERROR)
    failure_set(&exchange->failure, "tls", "handshake_failed", "%s", said);
  else
    failure_set(&exchange->failure, "network",
                exchange->refused ? "stream_refused" : network_code(code, sent),
                "%s", said);
}
