/*
 * Creates that the server refused over HTTP/2 without handling them (RFC 9113,
 * 8.7): REFUSED_STREAM, a GOAWAY that names a stream before it as the last one,
 * HTTP_1_1_REQUIRED.  They were not sent, as far as money goes.
 *
 * libcurl tells of it in words alone, those of its log, and repeats the request
 * by itself then, from which the guard keeps it (see http.c).  Words that are
 * not known count as nothing: the create is lost then, which is the safe side.
 * I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_HTTP_REFUSED_H
#define GPTIMAGE2_ENGINE_HTTP_REFUSED_H

#include "exchange.h"

/* libcurl's CURLOPT_DEBUGFUNCTION; `user` is the Exchange, a create that has
 * its connection to itself where that is HTTP/2.  It learns here, too, that the
 * system took some of the request. */
int http_on_debug(CURL *easy, curl_infotype type, char *text, size_t length,
                  void *user);

#endif
