/*
 * libcurl's handles of the exchanges (http.h): what each sort is told once, and
 * the warm ones that an account keeps.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_HTTP_HANDLE_H
#define GPTIMAGE2_ENGINE_HTTP_HANDLE_H

#include "http.h"

/* An option that libcurl has no memory for would be left out without a word: a
 * proxy, a certificate file.  (Options an older libcurl does not know may.) */
#define http_setopt(exchange, option, value)                                   \
  ((exchange)->misset |= curl_lib.easy_setopt((exchange)->easy, option,        \
                                              value) == CURLE_OUT_OF_MEMORY)

/* A handle ready to be told its request: a warm one of the account, or a new
 * one.  NULL, with `failure` set, when there is none. */
Exchange *http_take(Loop *loop, Account *account, HttpSort sort,
                    Failure *failure);

/* Frees an exchange that is not in the multi handle. */
void http_free(Exchange *exchange);

/* A URL in its parts, or NULL: for curl_lib.url_cleanup. */
CURLU *http_take_apart(const char *url);

#endif
