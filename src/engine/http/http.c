/* One exchange over HTTP: see http.h. */
#include "http.h"

#include "engine/base/clock.h"
#include "http_handle.h"
#include "http_limits.h"
#include "http_reply.h"

#include <math.h>
#include <stdio.h>

/* ---- what is in the multi handle ---- */

static void join(Loop *loop, Exchange *exchange) {
  loop->running_count++;
  loop->fetch_count += exchange->without_key;
  exchange->loop = loop;
  exchange->dead = false;
  queue_insert(&loop->running, &exchange->link, NULL);
}

static void leave(Exchange *exchange) {
  exchange->loop->running_count--;
  exchange->loop->fetch_count -= exchange->without_key;
  heap_clear(&exchange->loop->limits, &exchange->limit);
  queue_remove(&exchange->link);
}

static Exchange *start(Loop *loop, Exchange *exchange, double timeout,
                       Failure *failure) {
  loop_bound_connections(loop, loop->fetch_count + exchange->without_key);
  if (heap_reserve(&loop->limits, loop->running_count + 1) &&
      loop_reserve(loop, loop->running_count + 1) &&
      http_limits_prepare(exchange, timeout) && !exchange->setopt_failed &&
      curl_lib.multi_add_handle(loop->multi, exchange->easy) == CURLM_OK) {
    join(loop, exchange);
    http_limits_start(loop, exchange);
    return exchange;
  }
  failure_set(failure, "network", "out_of_memory", "out of memory");
  http_free(exchange);
  return NULL;
}

/* libcurl tells a stream that was refused from one that was lost only where no
 * other stream was ever on the connection.  So a create over HTTP/2 has one to
 * itself: no exchange of another sort fits on it, for its TLS versions are
 * written in another way.  The limit on streams of a server that has not told
 * it yet is never met so, either.  Over HTTP/1.1 connections are kept,
 * and one that the server has closed is nobody's: the create would be lost. */
static void choose_connection(Exchange *exchange, Loop *loop) {
  const Service *service = exchange->service;
  bool http1 = !service->secure || service->http1 || service->needs_http1;
  bool stale =
      clock_monotonic() < fmax(loop->stale_until, service->fresh_until) ||
      (http1 && loop_has_dead(loop, service_origin_name(service)));
  http_setopt(exchange, CURLOPT_FRESH_CONNECT, http1 && !stale ? 0L : 1L);
  if (!service->secure)
    return;
  http_setopt(exchange, CURLOPT_FORBID_REUSE, http1 ? 0L : 1L);
  http_setopt(exchange, CURLOPT_HTTP_VERSION,
              http1 ? (long)CURL_HTTP_VERSION_1_1
                    : (long)CURL_HTTP_VERSION_2TLS);
}

Exchange *http_post(Loop *loop, Service *service, const char *body,
                    size_t length, const char *key, double timeout,
                    Failure *failure) {
  Exchange *exchange = http_take(loop, service, HTTP_POST, failure);
  if (!exchange)
    return NULL;
  snprintf(exchange->key_line, sizeof exchange->key_line, "Idempotency-Key: %s",
           key);
  http_limits_stale(loop, clock_asleep(), clock_monotonic());
  choose_connection(exchange, loop);
  http_setopt(exchange, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
  http_setopt(exchange, CURLOPT_POSTFIELDS, body);
  return start(loop, exchange, timeout, failure);
}

Exchange *http_get(Loop *loop, Service *service, const char *url,
                   double timeout, Failure *failure) {
  Exchange *exchange = http_take(loop, service, HTTP_GET, failure);
  if (!exchange)
    return NULL;
  if (exchange->reuses_url)
    http_setopt(exchange, CURLOPT_REQUEST_TARGET, url + service->path_at);
  else
    http_setopt(exchange, CURLOPT_URL, url);
  return start(loop, exchange, timeout, failure);
}

/* A resumed download continues only the very same bytes. */
static void set_range(Exchange *exchange, const HttpFetch *fetch) {
  http_setopt(exchange, CURLOPT_RANGE, fetch->range);
  if (fetch->if_range) {
    snprintf(exchange->tag_line, sizeof exchange->tag_line, "If-Range: %s",
             fetch->if_range);
    exchange->range_headers[0] = (struct curl_slist){exchange->tag_line, NULL};
  }
  http_setopt(exchange, CURLOPT_HTTPHEADER,
              fetch->if_range ? exchange->range_headers : NULL);
}

Exchange *http_fetch(Loop *loop, Service *service, const HttpFetch *fetch,
                     HttpSink sink, Failure *failure) {
  /* Behind a proxy the address connected to is the proxy's. */
  bool check = fetch->public_only && !service->settings.proxy;
  Exchange *exchange = http_take(loop, service, HTTP_FETCH, failure);
  if (!exchange)
    return NULL;
  exchange->sink = sink;
  exchange->public_only = check;
  set_range(exchange, fetch);
  exchange->stall = fetch->stall_timeout;
  http_setopt(exchange, CURLOPT_BUFFERSIZE,
              fetch->buffer_size ? fetch->buffer_size
                                 : (long)CURL_MAX_WRITE_SIZE);
  http_setopt(exchange, CURLOPT_URL, fetch->url);
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
  QueueLink *link;
  for (link = loop->running.first; link; link = link->next) {
    Exchange *exchange = exchange_of_link(link);
    curl_lib.multi_remove_handle(loop->multi, exchange->easy);
    exchange->dead = true;
  }
  loop_stop_curl(loop);
  do {
    link = loop->running.first;
    while (link && !exchange_of_link(link)->dead)
      link = link->next;
    if (link)
      http_finish(exchange_of_link(link)->easy, CURLE_OUT_OF_MEMORY);
  } while (link);
}

bool http_is_redirect(const Exchange *exchange) {
  int status = exchange->reply.status;
  return exchange->reply.kind == OUTCOME_ANSWERED && status / 100 == 3 &&
         status != 304 && exchange->location;
}

const char *http_redirect(Exchange *exchange) {
  char *from = NULL;
  CURLU *url;
  if (exchange->redirect || !exchange->location)
    return exchange->redirect;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_EFFECTIVE_URL, &from);
  url = http_take_apart(from);
  if (url && curl_lib.url_set(url, CURLUPART_URL, exchange->location,
                              CURLU_URLENCODE | CURLU_ALLOW_SPACE) == CURLUE_OK)
    curl_lib.url_get(url, CURLUPART_URL, &exchange->redirect, 0);
  if (url)
    curl_lib.url_cleanup(url);
  return exchange->redirect;
}

bool http_took_connection(const Exchange *exchange) {
  long made = 0;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &made);
  return made > 0;
}

int64_t http_content_length(const Exchange *exchange) {
  curl_off_t length = -1;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
                        &length);
  return length;
}

const char *http_content_type(const Exchange *exchange) {
  char *type = NULL;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_CONTENT_TYPE, &type);
  return type ? type : "";
}

void http_abort(Loop *loop, Exchange *exchange) {
  if (!exchange->dead)
    curl_lib.multi_remove_handle(loop->multi, exchange->easy);
  leave(exchange);
  http_release(exchange);
}
