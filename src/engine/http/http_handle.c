/* The handles of exchanges: see http_handle.h. */
#include "http_handle.h"

#include "ca_store.h"
#include "engine/base/address.h"
#include "engine/base/platform.h"
#include "http_limits.h"
#include "http_refused.h"
#include "http_reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT_BODY ((size_t)1024) /* memory that an idle handle keeps */
#define IDLE_MAX 64 /* warm handles kept for one account and sort */

/* A create uses a kept connection only when it was used this lately: an older
 * one may be dead, and a create that dies on it counts as lost.  Servers close
 * idle connections after 2 s and more.  In seconds, as libcurl counts them:
 * before 8.17 or so it cuts 1.99 down to 1. */
#define CREATE_IDLE_MAX 1L

/* The request is about to go out.  libcurl calls this again when it wants to
 * repeat a request whose kept connection died: a create must not be. */
static int before_request(void *user, char *ip, char *local_ip, int port,
                          int local_port) {
  Exchange *exchange = user;
  (void)local_ip, (void)port, (void)local_port;
  if (exchange->sent_once && exchange->create)
    return CURL_PREREQFUNC_ABORT;
  /* Checked before it was connected to; but a kept connection may have been
   * made under other rules. */
  if (exchange->public_only && !address_is_public_text(ip)) {
    exchange->private_address = true;
    return CURL_PREREQFUNC_ABORT;
  }
  if (exchange->before_send && !exchange->before_send(exchange)) {
    exchange->blocked = true;
    return CURL_PREREQFUNC_ABORT;
  }
  exchange->again = exchange->sent_once;
  http_limits_connected(exchange);
  return CURL_PREREQFUNC_OK;
}

/* The connection outlives the exchange that opened it: `user` is the loop. */
static int on_close_socket(void *user, curl_socket_t fd) {
  loop_closing(user, fd);
  return close(fd);
}

/* The address is known and about to be connected to. */
static curl_socket_t open_socket(void *user, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
  Exchange *exchange = user;
  size_t length = address->addrlen;
  int fd;
  (void)purpose;
  if (exchange->public_only && !address_is_public(&address->addr)) {
    exchange->private_address = true;
    return CURL_SOCKET_BAD;
  }
  if (length <= sizeof exchange->peer)
    memcpy(&exchange->peer, &address->addr, length);
  fd = platform_socket(address->family, address->socktype, address->protocol);
  exchange->socket_error = fd < 0 ? errno : 0;
  if (fd >= 0)
    loop_opened(exchange->loop, fd,
                exchange->without_key ? 0
                                      : service_origin_name(exchange->service));
  return fd;
}

/* Whom to trust: those in the user's file and nobody else, or the system's.
 * libcurl adds a folder of the system's to any file while it knows of one. */
static void set_authorities(Exchange *exchange) {
  const Service *service = exchange->service;
  if (service->settings.ca_file) {
    http_setopt(exchange, CURLOPT_CAINFO, service->settings.ca_file);
    http_setopt(exchange, CURLOPT_CAPATH, NULL);
  } else if (service->secure) {
    CaStore needed = ca_store_needed();
    if (needed == CA_STORE_FOLDER) {
      http_setopt(exchange, CURLOPT_CAINFO, NULL);
      http_setopt(exchange, CURLOPT_PROXY_CAINFO, NULL);
    } else if (needed == CA_STORE_BUNDLE) {
      http_setopt(exchange, CURLOPT_CAPATH, NULL);
      http_setopt(exchange, CURLOPT_PROXY_CAPATH, NULL);
    }
  }
}

/* What is the same for the handles of all sorts. */
static void set_common(Exchange *exchange, Loop *loop) {
  const ServiceSettings *settings = &exchange->service->settings;
  http_setopt(exchange, CURLOPT_PRIVATE, exchange);
  http_setopt(exchange, CURLOPT_ERRORBUFFER, exchange->error);
  http_setopt(exchange, CURLOPT_NOSIGNAL, 1L);
  http_setopt(exchange, CURLOPT_QUICK_EXIT, 1L);
  http_setopt(exchange, CURLOPT_PROTOCOLS_STR, "http,https");
  http_setopt(exchange, CURLOPT_FOLLOWLOCATION, 0L);
  http_setopt(exchange, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  http_setopt(exchange, CURLOPT_PROXY_SSLVERSION,
              (long)CURL_SSLVERSION_TLSv1_2);
  http_setopt(exchange, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  http_setopt(exchange, CURLOPT_PROXY, settings->proxy ? settings->proxy : "");
  if (!settings->proxy) /* or libcurl asks the environment each time */
    http_setopt(exchange, CURLOPT_NOPROXY, "");
  set_authorities(exchange);
  http_setopt(exchange, CURLOPT_TCP_KEEPALIVE, 1L);
  http_setopt(exchange, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  http_setopt(exchange, CURLOPT_OPENSOCKETDATA, exchange);
  http_setopt(exchange, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
  http_setopt(exchange, CURLOPT_CLOSESOCKETDATA, loop);
  http_setopt(exchange, CURLOPT_WRITEFUNCTION, http_on_body);
  http_setopt(exchange, CURLOPT_WRITEDATA, exchange);
  http_setopt(exchange, CURLOPT_HEADERFUNCTION, http_on_header);
  http_setopt(exchange, CURLOPT_HEADERDATA, exchange);
  http_setopt(exchange, CURLOPT_PREREQFUNCTION, before_request);
  http_setopt(exchange, CURLOPT_PREREQDATA, exchange);
}

/* Without it every exchange is told its whole URL. */
CURLU *http_take_apart(const char *url) {
  CURLU *parts = curl_lib.url();
  if (!parts || curl_lib.url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK)
    return parts;
  curl_lib.url_cleanup(parts);
  return NULL;
}

/* libcurl takes a URL apart for each exchange and puts it together again letter
 * by letter, which is a fifth of all its work.  The service's URL is taken
 * apart once; a poll then differs in its path alone. */
static void set_service(Exchange *exchange) {
  Service *service = exchange->service;
  exchange->reuses_url = false;
  if (!service->parts)
    service->parts = http_take_apart(service->generate_url);
  if (service->parts && (exchange->create || service->path_at)) {
    exchange->reuses_url = true;
    http_setopt(exchange, CURLOPT_CURLU, service->parts);
  } else {
    http_setopt(exchange, CURLOPT_URL, service->generate_url);
  }
}

/* What is the same for all exchanges with the service. */
static void set_api(Exchange *exchange) {
  const Service *service = exchange->service;
  set_service(exchange);
  if (service->settings.proxy) /* for the proxy: the headers have it already */
    http_setopt(exchange, CURLOPT_USERAGENT, service->settings.user_agent);
  if (!service->secure) /* else the TLS handshake tells */
    http_setopt(exchange, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

static void set_post(Exchange *exchange) {
  exchange->create = true;
  set_api(exchange);
  exchange->key_header =
      (struct curl_slist){exchange->key_line, exchange->service->post_headers};
  http_setopt(exchange, CURLOPT_HTTPHEADER, &exchange->key_header);
  http_setopt(exchange, CURLOPT_POST, 1L);
  http_setopt(exchange, CURLOPT_MAXAGE_CONN, CREATE_IDLE_MAX);
  http_setopt(exchange, CURLOPT_DEBUGFUNCTION, http_on_debug);
  http_setopt(exchange, CURLOPT_DEBUGDATA, exchange);
  http_setopt(exchange, CURLOPT_VERBOSE, 1L);
  if (!exchange->service->secure)
    return;
  http_setopt(exchange, CURLOPT_SSLVERSION,
              (long)CURL_SSLVERSION_TLSv1_2 |
                  (long)CURL_SSLVERSION_MAX_TLSv1_3);
}

static void set_get(Exchange *exchange) {
  set_api(exchange);
  http_setopt(exchange, CURLOPT_HTTPHEADER, exchange->service->get_headers);
  http_setopt(exchange, CURLOPT_HTTPGET, 1L);
  /* Many polls at once share one HTTP/2 connection where the server can.
   * Without TLS libcurl would hold all of them back until the first is
   * answered. */
  if (exchange->service->secure)
    http_setopt(exchange, CURLOPT_PIPEWAIT, 1L);
}

static void set_fetch(Exchange *exchange) {
  exchange->without_key = true;
  http_setopt(exchange, CURLOPT_USERAGENT,
              exchange->service->settings.user_agent);
}

static Exchange *new_exchange(Loop *loop, Service *service, HttpSort sort) {
  static void (*const set_sort[HTTP_SORTS])(Exchange *) = {
      [HTTP_POST] = set_post, [HTTP_GET] = set_get, [HTTP_FETCH] = set_fetch};
  Exchange *exchange = calloc(1, sizeof *exchange);
  if (!exchange)
    return NULL;
  exchange->easy = curl_lib.easy_init();
  if (!exchange->easy) {
    free(exchange);
    return NULL;
  }
  exchange->service = service;
  exchange->sort = sort;
  buffer_init(&exchange->body, HTTP_REPLY_MAX);
  set_common(exchange, loop);
  set_sort[sort](exchange);
  return exchange;
}

static void forget_redirect(Exchange *exchange) {
  free(exchange->location);
  curl_lib.free(exchange->redirect);
  exchange->location = exchange->redirect = NULL;
}

void http_free(Exchange *exchange) {
  forget_redirect(exchange);
  buffer_free(&exchange->body);
  curl_lib.easy_cleanup(exchange->easy);
  free(exchange);
}

static Exchange *take_idle(IdleExchanges *idle) {
  Exchange *exchange = idle->first;
  if (exchange) {
    idle->first = exchange->next;
    idle->count--;
  }
  return exchange;
}

/* Nothing of the exchange before may be left. */
static void reset(Exchange *exchange) {
  exchange->done = NULL;
  exchange->sink = NULL;
  exchange->before_send = NULL;
  exchange->blocked = false;
  exchange->owner = NULL;
  exchange->reply = (HttpOutcome){.retry_after = -1};
  exchange->too_large = exchange->private_address = false;
  exchange->sent_once = exchange->public_only = exchange->stopped = false;
  exchange->wrote = false;
  exchange->tag[0] = exchange->error[0] = '\0';
  exchange->range_start = exchange->range_total = -1;
  exchange->header_bytes = 0;
  exchange->headers_done = exchange->hurried = exchange->curtailed = false;
  exchange->refused = exchange->framed = false;
  exchange->block_status = 0;
  exchange->error_bytes = 0;
  exchange->stall = 0;
  exchange->again = false;
  exchange->shortage = NULL;
  exchange->socket_error = 0;
  exchange->peer = (HttpPeer){.any.sa_family = AF_UNSPEC};
}

/* A handle ready to be told its request. */
Exchange *http_take(Loop *loop, Service *service, HttpSort sort,
                    Failure *failure) {
  const char *trouble = loop_start_curl(loop);
  Exchange *exchange = NULL;
  if (trouble) {
    failure_set(failure, "network", "libcurl_unavailable", "%s", trouble);
    return NULL;
  }
  exchange = take_idle(&service->idle[sort]);
  if (!exchange)
    exchange = new_exchange(loop, service, sort);
  if (exchange)
    reset(exchange);
  else
    failure_set(failure, "network", "out_of_memory", "out of memory");
  return exchange;
}

/* Of a create that failed libcurl may remember that it was refused. */
static bool is_reusable(const Exchange *exchange) {
  return !exchange->create || !exchange->service->secure ||
         exchange->reply.kind == OUTCOME_ANSWERED;
}

void http_release(Exchange *exchange) {
  IdleExchanges *idle = &exchange->service->idle[exchange->sort];
  forget_redirect(exchange);
  buffer_clear(&exchange->body, KEPT_BODY);
  failure_clear(&exchange->failure);
  if (idle->count >= IDLE_MAX || !is_reusable(exchange)) {
    http_free(exchange);
    return;
  }
  exchange->next = idle->first;
  idle->first = exchange;
  idle->count++;
}

void http_free_idle(Service *service) {
  Exchange *exchange;
  for (int sort = 0; sort < HTTP_SORTS; sort++)
    while ((exchange = take_idle(&service->idle[sort])))
      http_free(exchange);
  if (service->parts)
    curl_lib.url_cleanup(service->parts);
  service->parts = NULL;
}
