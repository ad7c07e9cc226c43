/*
 * libcurl's handles of the exchanges (http.h): what each sort is told once, and
 * the warm ones that a service keeps.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_HTTP_HANDLE_H
#define GPTIMAGE2_ENGINE_HTTP_HANDLE_H

#include "exchange.h"

/* An option that libcurl has no memory for would be left out without a word: a
 * proxy, a certificate file.  (Options an older libcurl does not know may.) */
#define http_setopt(exchange, option, value)                                   \
  ((exchange)->setopt_failed |=                                                \
   curl_lib.easy_setopt((exchange)->easy, option, value) ==                    \
   CURLE_OUT_OF_MEMORY)

/* A handle ready to be told its request: a warm one of the service, or a new
 * one.  NULL, with `failure` set, when there is none. */
Exchange *http_take(Loop *loop, Service *service, HttpSort sort,
                    Failure *failure);

/* Gives the handle back for the next exchange. */
void http_release(Exchange *exchange);

/* Frees the warm handles of a service, and what they share. */
void http_free_idle(Service *service);

/* Frees an exchange that is not in the multi handle. */
void http_free(Exchange *exchange);

/* A URL in its parts, or NULL: for curl_lib.url_cleanup. */
CURLU *http_take_apart(const char *url);

#endif
