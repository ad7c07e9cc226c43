/*
 * Whether an exchange came to nothing because this machine lacks something.
 * Split from http_reply.c; private to it.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_HTTP_SHORTAGE_H
#define GPTIMAGE2_ENGINE_HTTP_SHORTAGE_H

#include "exchange.h"

/* What is lacking, in words, where that may be why nothing was sent; the
 * failure says so then.  Else NULL. */
const char *http_find_shortage(Exchange *exchange, CURLcode code);

#endif
