/*
 * One exchange over HTTP: a request, and what came back.
 *
 * Three sorts, and what they may do is fixed here and nowhere else:
 *   post   a create.  Sent at most once, whatever libcurl would like to do.
 *   get    a poll, with the key, to the service only.
 *   fetch  an image or a reference, from any host, without the key.
 * None follows redirects, none takes a proxy from the environment, none accepts
 * a content encoding, and TLS is always verified.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_HTTP_H
#define GPTIMAGE2_ENGINE_HTTP_H

#include "http_handle.h"
#include "http_reply.h"

#include <stdbool.h>
#include <stdint.h>

/* What to fetch from a host that is not the service. */
typedef struct HttpFetch {
  const char *url;      /* checked with url.h by the caller */
  const char *range;    /* "0-63", or NULL */
  const char *if_range; /* a strong entity tag, or NULL */
  double timeout;       /* seconds for all of it, may be infinite */
  double stall_timeout; /* seconds without a byte, 0 = none */
  long buffer_size;     /* bytes for one read, 0 = libcurl's choice */
  bool public_only;     /* refuse addresses that are not public */
} HttpFetch;

/* Each of the three takes a warm handle or makes one, and starts.  NULL, with
 * `failure` set, when that is not possible.  `body` and `url` must live until
 * the exchange is over; `timeout` in seconds. */
Exchange *http_post(Loop *loop, Service *service, const char *body,
                    size_t length, const char *key, double timeout,
                    Failure *failure);
Exchange *http_get(Loop *loop, Service *service, const char *url,
                   double timeout, Failure *failure);
Exchange *http_fetch(Loop *loop, Service *service, const HttpFetch *fetch,
                     HttpSink sink, Failure *failure);

/* Works out what became of an exchange that libcurl has finished, and calls its
 * `done`. */
void http_finish(CURL *easy, CURLcode code);

/* Ends the exchanges that have had their time.  After loop_wait: what arrived
 * before that was read. */
void http_enforce_limits(Loop *loop);

/* The multi handle is broken: ends all exchanges as out of memory. */
void http_give_up(Loop *loop);

/* True for an answer that says where to go on: a 3xx with a Location.  Fetches
 * only. */
bool http_is_redirect(const Exchange *exchange);

/* The absolute URL that it points to, or NULL; valid until release. */
const char *http_redirect(Exchange *exchange);

/* The length that the answer announces, in bytes, or -1. */
int64_t http_content_length(const Exchange *exchange);

/* The Content-Type, or ""; valid until release. */
const char *http_content_type(const Exchange *exchange);

/* Whether libcurl made a connection for it. */
bool http_took_connection(const Exchange *exchange);

/* Stops a running exchange and gives its handle back; `done` is not called. */
void http_abort(Loop *loop, Exchange *exchange);

#endif
