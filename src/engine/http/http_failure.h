/*
 * Why an exchange came to nothing: kind, code and words.  Split from
 * http_reply.c; private to it.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_HTTP_FAILURE_H
#define GPTIMAGE2_ENGINE_HTTP_FAILURE_H

#include "exchange.h"

/* True for the codes that say: this server is not who it claims to be. */
bool http_is_certificate_error(CURLcode code);

/* True, with the failure set, for an answer by which a proxy says that it did
 * not pass the request on. */
bool http_refused_by_proxy(Exchange *exchange);

/* Sets the failure by libcurl's result.  `sent`: a part of the request may have
 * reached the other side. */
void http_explain(Exchange *exchange, CURLcode code, bool sent);

#endif
