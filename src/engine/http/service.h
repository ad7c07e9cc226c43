/*
 * A service: what all exchanges of one client have in common.  Its URL taken
 * apart, the header lines, warm easy handles, and what its answers have told of
 * the way to it.  Made on the host's thread; from the first exchange on it is
 * the I/O thread's, but for its settings and its key, which never change.
 */
#ifndef GPTIMAGE2_ENGINE_SERVICE_H
#define GPTIMAGE2_ENGINE_SERVICE_H

#include "engine/base/url.h"
#include "engine/loop/curl_lib.h"
#include "service_settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Exchange;

/* The sorts of exchanges: see http.h.  Each has easy handles of its own, so
 * that what is the same for all of a sort is told to libcurl once. */
typedef enum HttpSort { HTTP_POST, HTTP_GET, HTTP_FETCH, HTTP_SORTS } HttpSort;

/* Warm easy handles. */
typedef struct IdleExchanges {
  struct Exchange *first;
  unsigned count;
} IdleExchanges;

typedef struct Service {
  ServiceSettings settings; /* the texts are ours; without the key */
  char *generate_url;       /* base_url/api/generate */
  char *poll_url;           /* the same with a slash, and room for a job id */
  char *poll_id;            /* where in it the id goes */
  size_t path_at;           /* where its path begins; 0 = libcurl sees to it */
  CURLU *parts;             /* generate_url, taken apart; NULL at first */
  char *user_agent;         /* the header line */
  char *authorization;      /* the header line: secret */
  const char *host;         /* in settings.base_url */
  size_t host_length;
  bool local;         /* it is on this machine */
  bool inside;        /* it is at an address that is not public */
  bool secure;        /* it is reached over TLS */
  double fresh_until; /* creates need connections of their own */
  bool http1;         /* and answers over HTTP/1 */
  bool needs_http1;   /* and wants it: HTTP_1_1_REQUIRED */
  struct curl_slist post_headers[4];
  struct curl_slist get_headers[3];
  IdleExchanges idle[HTTP_SORTS];
} Service;

/* False without memory; service_free is due then, too. */
bool service_init(Service *service, const ServiceSettings *settings);

/* Wipes the key.  Its warm handles must be gone: http_free_idle. */
void service_free(Service *service);

/* The key alone, for finding it in texts that must not show it.  Host's or I/O
 * thread: it never changes. */
const char *service_key(const Service *service);

/* True when `text` holds the proxy's password.  I/O thread. */
bool service_is_secret(const Service *service, const char *text);

/* What its base_url permits the URLs of images. */
ImageRules service_image_rules(const Service *service);

/* The URL of the job `id`, until the next call.  I/O thread. */
const char *service_poll_url(const Service *service, const char *id);

/* Names the place that its connections lead to: scheme, host and port, and the
 * proxy on the way.  Others may have the same name, very rarely. */
uint64_t service_origin_name(const Service *service);

#endif
