/*
 * One exchange over HTTP, from the inside: what http.c, which begins and ends
 * it, and those who send, watch and read it (http_*.c) know of it.  I/O thread
 * only.
 */
#ifndef GPTIMAGE2_ENGINE_EXCHANGE_H
#define GPTIMAGE2_ENGINE_EXCHANGE_H

#include "engine/base/buffer.h"
#include "engine/base/failure.h"
#include "engine/base/limits.h"
#include "engine/loop/loop.h"
#include "engine/rules/policy.h"
#include "service.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* An address that is connected to. */
typedef union HttpPeer {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} HttpPeer;

#define HTTP_REPLY_MAX ((size_t)1 << 20)   /* bytes of an API reply */
#define HTTP_ERROR_MAX ((size_t)1 << 16)   /* bytes of an error's body */
#define HTTP_LOCATION_MAX 16384            /* bytes of a redirect's target */
#define HTTP_HEADERS_MAX ((size_t)1 << 16) /* bytes of all reply headers */
#define HTTP_TAG_MAX 128                   /* bytes of an entity tag we keep */

typedef struct Exchange Exchange;

/* Takes body bytes of a 200 or 206; false ends the exchange. */
typedef bool (*HttpSink)(Exchange *exchange, const char *bytes, size_t length);

/* The request is about to go out; false, with the exchange's failure set, keeps
 * it from doing so.  Called inside libcurl. */
typedef bool (*HttpBeforeSend)(Exchange *exchange);

/* The exchange is over.  Must end with http_release or a new start. */
typedef void (*HttpDone)(Exchange *exchange);

struct Exchange {
  CURL *easy;
  Service *service;
  HttpSort sort;
  bool without_key; /* a fetch */
  bool create;      /* a post */
  bool reuses_url; /* the handle knows the service's URL and is told the path */
  HttpDone done;
  HttpSink sink;              /* NULL: the body goes to `body` */
  HttpBeforeSend before_send; /* posts only; NULL = nothing to ask */
  void *owner;
  /* What came back. */
  HttpOutcome reply;
  Buffer body;     /* shown to nobody before http_hide_key */
  Failure failure; /* when the reply is not an answer */
  bool too_large;  /* the body of a reply, or a head, over its maximum */
  bool curtailed;  /* the body of an error was long enough */
  bool private_address;
  bool framed;                /* fetches: the answer tells where it ends */
  char tag[HTTP_TAG_MAX + 1]; /* strong entity tag, or "" */
  int64_t range_start;        /* first byte of a 206, or -1 */
  int64_t range_total;        /* bytes of all of it, or -1 */
  char *location;             /* a fetch: where a redirect leads, or NULL */
  char *redirect;             /* the same as an absolute URL, libcurl's */
  /* While it runs.  Its limits of time are ours and not libcurl's, which looks
   * at the clock before it reads what has arrived: see http_limits.c. */
  Timer limit;
  double until;      /* when all of it must be over, may be infinite */
  double connect_by; /* when the request must be about to go out */
  double stall;      /* seconds without a byte of the body, 0 = any */
  double heard_at;   /* when something came last */
  double forgiven;   /* seconds that were added to the connection's time */
  bool hurried;      /* what is left of the answer is of no use */
  bool sent_once;    /* the request was let go once; a create: never again */
  bool wrote;        /* a create: the system took some of it */
  bool blocked;      /* before_send said no */
  bool public_only;
  bool stopped; /* the sink said stop */
  size_t header_bytes;
  bool headers_done;  /* the headers of the answer came to their end */
  int block_status;   /* of the last headers that came to theirs; 0 = none */
  size_t error_bytes; /* of an error's body, so far */
  bool refused;       /* the server refused the stream, unhandled */
  struct curl_slist key_header;
  struct curl_slist range_headers[2];
  char key_line[32 + IDEMPOTENCY_KEY_MAX];
  char tag_line[16 + HTTP_TAG_MAX];
  char error[CURL_ERROR_SIZE];
  bool setopt_failed; /* libcurl had no memory for an option */
  bool dead;          /* out of the multi handle, which is given up */
  bool again;         /* libcurl has sent it a second time */
  /* What this machine lacked, in words, NULL = nothing: set where nothing was
   * sent for it, and from what the last attempt to connect met. */
  const char *shortage;
  int socket_error; /* errno of the last socket(), 0 = there is one */
  HttpPeer peer;    /* that it was for */
  Loop *loop;
  Exchange *next; /* in the idle list */
  QueueLink link; /* among the running */
};

static inline Exchange *exchange_of_link(QueueLink *link) {
  return QUEUE_ITEM(link, Exchange, link);
}

#endif
