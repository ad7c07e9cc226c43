/* One exchange over HTTP: see http.h. */
#include "http.h"

#include "address.h"
#include "authorities.h"
#include "clock.h"
#include "http_limits.h"
#include "http_refused.h"
#include "http_reply.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
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

/* An option that libcurl has no memory for would be left out without a word: a
 * proxy, a certificate file.  (Options an older libcurl does not know may.) */
#define setopt(easy, option, value)                                            \
  (exchange->misset |=                                                         \
   curl_lib.easy_setopt(easy, option, value) == CURLE_OUT_OF_MEMORY)

/* The request is about to go out.  libcurl calls this again when it wants to
 * repeat a request whose kept connection died: a create must not be. */
static int before_request(void *user, char *ip, char *local_ip, int port,
                          int local_port) {
  Exchange *exchange = user;
  (void)local_ip, (void)port, (void)local_port;
  if (exchange->guarded && exchange->create)
    return CURL_PREREQFUNC_ABORT;
  /* Checked before it was connected to; but a kept connection may have been
   * made under other rules. */
  if (exchange->public_only && !address_is_public_text(ip)) {
    exchange->private_address = true;
    return CURL_PREREQFUNC_ABORT;
  }
  if (exchange->before_send && !exchange->before_send(exchange)) {
    exchange->vetoed = true;
    return CURL_PREREQFUNC_ABORT;
  }
  http_limits_connected(exchange);
  return CURL_PREREQFUNC_OK;
}

/* Programs that the host starts must not inherit our connections. */
static int on_new_socket(void *user, curl_socket_t fd, curlsocktype purpose) {
  (void)purpose;
  loop_opened(user, fd);
  return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? CURL_SOCKOPT_OK
                                             : CURL_SOCKOPT_ERROR;
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
  (void)purpose;
  if (exchange->public_only && !address_is_public(&address->addr)) {
    exchange->private_address = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC,
                address->protocol);
}

/* Whom to trust: those in the user's file and nobody else, or the system's.
 * libcurl adds a folder of the system's to any file while it knows of one. */
static void set_authorities(Exchange *exchange) {
  const Account *account = exchange->account;
  CURL *easy = exchange->easy;
  if (account->settings.ca_file) {
    setopt(easy, CURLOPT_CAINFO, account->settings.ca_file);
    setopt(easy, CURLOPT_CAPATH, NULL);
  } else if (account->secure && authorities_in_folder()) {
    setopt(easy, CURLOPT_CAINFO, NULL);
    setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
  }
}

/* What is the same for the handles of all sorts. */
static void set_common(Exchange *exchange, Loop *loop) {
  const AccountSettings *settings = &exchange->account->settings;
  CURL *easy = exchange->easy;
  setopt(easy, CURLOPT_PRIVATE, exchange);
  setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
  setopt(easy, CURLOPT_NOSIGNAL, 1L);
  setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  setopt(easy, CURLOPT_PROXY, settings->proxy ? settings->proxy : "");
  if (!settings->proxy) /* or libcurl asks the environment each time */
    setopt(easy, CURLOPT_NOPROXY, "");
  set_authorities(exchange);
  setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
  setopt(easy, CURLOPT_SOCKOPTDATA, loop);
  setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
  setopt(easy, CURLOPT_CLOSESOCKETDATA, loop);
  setopt(easy, CURLOPT_WRITEFUNCTION, http_on_body);
  setopt(easy, CURLOPT_WRITEDATA, exchange);
  setopt(easy, CURLOPT_HEADERFUNCTION, http_on_header);
  setopt(easy, CURLOPT_HEADERDATA, exchange);
  setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
  setopt(easy, CURLOPT_PREREQDATA, exchange);
}

/* Without it every exchange is told its whole URL. */
static CURLU *take_apart(const char *url) {
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
  Account *account = exchange->account;
  exchange->by_path = false;
  if (!account->service)
    account->service = take_apart(account->generate_url);
  if (account->service && (exchange->create || account->path_at)) {
    exchange->by_path = true;
    setopt(exchange->easy, CURLOPT_CURLU, account->service);
  } else {
    setopt(exchange->easy, CURLOPT_URL, account->generate_url);
  }
}

/* What is the same for all exchanges with the service. */
static void set_api(Exchange *exchange) {
  const Account *account = exchange->account;
  CURL *easy = exchange->easy;
  set_service(exchange);
  if (account->settings.proxy) /* for the proxy: the headers have it already */
    setopt(easy, CURLOPT_USERAGENT, account->settings.user_agent);
  if (!account->secure) /* else the TLS handshake tells */
    setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

/* libcurl tells a stream that was refused from one that was lost only where no
 * other stream was ever on the connection.  So a create over HTTP/2 has one to
 * itself: no exchange of another sort fits on it, for its TLS versions are
 * written in another way.  The limit on streams of a server that has not told
 * it yet is never met so, either.  Over HTTP/1.1 connections are kept. */
static void choose_connection(Exchange *exchange, const Loop *loop) {
  const Account *account = exchange->account;
  bool http1 = !account->secure || account->http1 || account->needs_http1;
  bool stale =
      clock_monotonic() < fmax(loop->stale_until, account->fresh_until);
  setopt(exchange->easy, CURLOPT_FRESH_CONNECT, http1 && !stale ? 0L : 1L);
  if (!account->secure)
    return;
  setopt(exchange->easy, CURLOPT_FORBID_REUSE, http1 ? 0L : 1L);
  setopt(exchange->easy, CURLOPT_HTTP_VERSION,
         http1 ? (long)CURL_HTTP_VERSION_1_1 : (long)CURL_HTTP_VERSION_2TLS);
}

static void set_post(Exchange *exchange) {
  CURL *easy = exchange->easy;
  exchange->create = true;
  set_api(exchange);
  exchange->key_header =
      (struct curl_slist){exchange->key_line, exchange->account->post_headers};
  setopt(easy, CURLOPT_HTTPHEADER, &exchange->key_header);
  setopt(easy, CURLOPT_POST, 1L);
  setopt(easy, CURLOPT_MAXAGE_CONN, CREATE_IDLE_MAX);
  if (!exchange->account->secure)
    return;
  setopt(easy, CURLOPT_SSLVERSION,
         (long)CURL_SSLVERSION_TLSv1_2 | (long)CURL_SSLVERSION_MAX_TLSv1_3);
  setopt(easy, CURLOPT_DEBUGFUNCTION, http_on_debug);
  setopt(easy, CURLOPT_DEBUGDATA, exchange);
  setopt(easy, CURLOPT_VERBOSE, 1L);
}

static void set_get(Exchange *exchange) {
  set_api(exchange);
  setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->account->get_headers);
  setopt(exchange->easy, CURLOPT_HTTPGET, 1L);
  /* Many polls at once share one HTTP/2 connection where the server can.
   * Without TLS libcurl would hold all of them back until the first is
   * answered. */
  if (exchange->account->secure)
    setopt(exchange->easy, CURLOPT_PIPEWAIT, 1L);
}

static void set_fetch(Exchange *exchange) {
  CURL *easy = exchange->easy;
  exchange->plain = true;
  setopt(easy, CURLOPT_USERAGENT, exchange->account->settings.user_agent);
  setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
}

static Exchange *new_exchange(Loop *loop, Account *account, HttpSort sort) {
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
  exchange->account = account;
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

static void free_exchange(Exchange *exchange) {
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
  exchange->vetoed = false;
  exchange->owner = NULL;
  exchange->reply = (Reply){.retry_after = -1};
  exchange->too_large = exchange->private_address = false;
  exchange->guarded = exchange->public_only = exchange->stopped = false;
  exchange->tag[0] = exchange->error[0] = '\0';
  exchange->range_start = exchange->range_total = -1;
  exchange->header_bytes = 0;
  exchange->headed = exchange->hurried = exchange->curtailed = false;
  exchange->refused = exchange->framed = false;
  exchange->block_status = 0;
  exchange->date = -1;
  exchange->wait_text[0] = '\0';
  exchange->error_bytes = 0;
  exchange->stall = 0;
}

/* A handle ready to be told its request. */
static Exchange *prepare(Loop *loop, Account *account, HttpSort sort,
                         Failure *failure) {
  const char *trouble = loop_start_curl(loop);
  Exchange *exchange = NULL;
  if (trouble) {
    failure_set(failure, "network", "libcurl_unavailable", "%s", trouble);
    return NULL;
  }
  exchange = take_idle(&account->idle[sort]);
  if (!exchange)
    exchange = new_exchange(loop, account, sort);
  if (exchange)
    reset(exchange);
  else
    failure_set(failure, "network", "out_of_memory", "out of memory");
  return exchange;
}

/* ---- what is in the multi handle ---- */

static void join(Loop *loop, Exchange *exchange) {
  loop->running_count++;
  exchange->loop = loop;
  exchange->dead = false;
  exchange->before = NULL;
  exchange->next = loop->running;
  if (exchange->next)
    exchange->next->before = exchange;
  loop->running = exchange;
}

static void leave(Exchange *exchange) {
  exchange->loop->running_count--;
  heap_clear(&exchange->loop->limits, &exchange->limit);
  if (exchange->before)
    exchange->before->next = exchange->next;
  else
    exchange->loop->running = exchange->next;
  if (exchange->next)
    exchange->next->before = exchange->before;
}

static Exchange *start(Loop *loop, Exchange *exchange, double timeout,
                       Failure *failure) {
  if (heap_reserve(&loop->limits, loop->running_count + 1) &&
      http_limits_prepare(exchange, timeout) && !exchange->misset &&
      curl_lib.multi_add_handle(loop->multi, exchange->easy) == CURLM_OK) {
    join(loop, exchange);
    http_limits_start(loop, exchange);
    return exchange;
  }
  failure_set(failure, "network", "out_of_memory", "out of memory");
  free_exchange(exchange);
  return NULL;
}

Exchange *http_post(Loop *loop, Account *account, const char *body,
                    size_t length, const char *key, double timeout,
                    Failure *failure) {
  Exchange *exchange = prepare(loop, account, HTTP_POST, failure);
  if (!exchange)
    return NULL;
  snprintf(exchange->key_line, sizeof exchange->key_line, "Idempotency-Key: %s",
           key);
  http_limits_stale(loop, clock_asleep(), clock_monotonic());
  choose_connection(exchange, loop);
  setopt(exchange->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
  setopt(exchange->easy, CURLOPT_POSTFIELDS, body);
  return start(loop, exchange, timeout, failure);
}

Exchange *http_get(Loop *loop, Account *account, const char *url,
                   double timeout, Failure *failure) {
  Exchange *exchange = prepare(loop, account, HTTP_GET, failure);
  if (!exchange)
    return NULL;
  if (exchange->by_path)
    setopt(exchange->easy, CURLOPT_REQUEST_TARGET, url + account->path_at);
  else
    setopt(exchange->easy, CURLOPT_URL, url);
  return start(loop, exchange, timeout, failure);
}

/* A resumed download continues only the very same bytes. */
static void set_range(Exchange *exchange, const HttpFetch *fetch) {
  setopt(exchange->easy, CURLOPT_RANGE, fetch->range);
  if (fetch->if_range) {
    snprintf(exchange->tag_line, sizeof exchange->tag_line, "If-Range: %s",
             fetch->if_range);
    exchange->range_headers[0] = (struct curl_slist){exchange->tag_line, NULL};
  }
  setopt(exchange->easy, CURLOPT_HTTPHEADER,
         fetch->if_range ? exchange->range_headers : NULL);
}

Exchange *http_fetch(Loop *loop, Account *account, const HttpFetch *fetch,
                     HttpSink sink, Failure *failure) {
  /* Behind a proxy the address connected to is the proxy's. */
  bool check = fetch->public_only && !account->settings.proxy;
  Exchange *exchange = prepare(loop, account, HTTP_FETCH, failure);
  if (!exchange)
    return NULL;
  exchange->sink = sink;
  exchange->public_only = check;
  set_range(exchange, fetch);
  exchange->stall = fetch->stall_timeout;
  setopt(exchange->easy, CURLOPT_BUFFERSIZE,
         fetch->buffer_size ? fetch->buffer_size : (long)CURL_MAX_WRITE_SIZE);
  setopt(exchange->easy, CURLOPT_URL, fetch->url);
  return start(loop, exchange, fetch->timeout, failure);
}

void http_finish(CURL *easy, CURLcode code) {
  char *private = NULL;
  Exchange *exchange;
  curl_lib.easy_getinfo(easy, CURLINFO_PRIVATE, &private);
  exchange = (Exchange *)(void *)private;
  leave(exchange);
  http_read_outcome(exchange, code);
  exchange->done(exchange);
}

/* Those who are told may start new exchanges and abort others. */
void http_enforce_limits(Loop *loop) {
  Exchange *exchange;
  while ((exchange = http_limits_overdue(loop))) {
    curl_lib.multi_remove_handle(loop->multi, exchange->easy);
    exchange->curtailed = exchange->hurried;
    http_finish(exchange->easy, CURLE_OPERATION_TIMEDOUT);
  }
}

/* Those who are told may start new exchanges and abort others. */
void http_give_up(Loop *loop) {
  Exchange *exchange;
  for (exchange = loop->running; exchange; exchange = exchange->next) {
    curl_lib.multi_remove_handle(loop->multi, exchange->easy);
    exchange->dead = true;
  }
  loop_stop_curl(loop);
  do {
    exchange = loop->running;
    while (exchange && !exchange->dead)
      exchange = exchange->next;
    if (exchange)
      http_finish(exchange->easy, CURLE_OUT_OF_MEMORY);
  } while (exchange);
}

bool http_is_redirect(const Exchange *exchange) {
  int status = exchange->reply.status;
  return exchange->reply.kind == REPLY_ANSWERED && status / 100 == 3 &&
         status != 304 && exchange->location;
}

const char *http_redirect(Exchange *exchange) {
  char *from = NULL;
  CURLU *url;
  if (exchange->redirect || !exchange->location)
    return exchange->redirect;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_EFFECTIVE_URL, &from);
  url = take_apart(from);
  if (url && curl_lib.url_set(url, CURLUPART_URL, exchange->location,
                              CURLU_URLENCODE | CURLU_ALLOW_SPACE) == CURLUE_OK)
    curl_lib.url_get(url, CURLUPART_URL, &exchange->redirect, 0);
  if (url)
    curl_lib.url_cleanup(url);
  return exchange->redirect;
}

const char *http_content_type(const Exchange *exchange) {
  char *type = NULL;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_CONTENT_TYPE, &type);
  return type ? type : "";
}

/* Of a create that failed libcurl may remember that it was refused. */
static bool is_reusable(const Exchange *exchange) {
  return !exchange->create || !exchange->account->secure ||
         exchange->reply.kind == REPLY_ANSWERED;
}

void http_release(Exchange *exchange) {
  IdleExchanges *idle = &exchange->account->idle[exchange->sort];
  forget_redirect(exchange);
  buffer_clear(&exchange->body, KEPT_BODY);
  failure_clear(&exchange->failure);
  if (idle->count >= IDLE_MAX || !is_reusable(exchange)) {
    free_exchange(exchange);
    return;
  }
  exchange->next = idle->first;
  idle->first = exchange;
  idle->count++;
}

void http_abort(Loop *loop, Exchange *exchange) {
  if (!exchange->dead)
    curl_lib.multi_remove_handle(loop->multi, exchange->easy);
  leave(exchange);
  http_release(exchange);
}

void http_free_idle(Account *account) {
  Exchange *exchange;
  for (int sort = 0; sort < HTTP_SORTS; sort++)
    while ((exchange = take_idle(&account->idle[sort])))
      free_exchange(exchange);
  if (account->service)
    curl_lib.url_cleanup(account->service);
  account->service = NULL;
}
