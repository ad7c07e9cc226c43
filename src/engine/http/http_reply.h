/*
 * The receiving half of an exchange: libcurl's callbacks, and what its result
 * code means for us.  Split from http.c, which is the sending half; private to
 * the two.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_HTTP_REPLY_H
#define GPTIMAGE2_ENGINE_HTTP_REPLY_H

#include "exchange.h"

size_t http_on_header(char *line, size_t one, size_t length, void *user);
size_t http_on_body(char *bytes, size_t one, size_t length, void *user);

/* A service may repeat the API key: it gets no further than the body, in which
 * "[key]" stands then.  An exchange that is finished has had it. */
void http_hide_key(Exchange *exchange);

/* Fills reply and failure from libcurl's result. */
void http_read_outcome(Exchange *exchange, CURLcode code);

#endif
