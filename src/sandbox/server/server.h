/*
 * One running sandbox: an HTTP server on loopback, the service behind it and
 * the faults in front of it. server_start and the calls below it belong to
 * the thread of the Lua state; the daemon's thread runs exchange.c; `lock`
 * guards what both touch.
 */
#ifndef GPTIMAGE2_SANDBOX_SERVER_H
#define GPTIMAGE2_SANDBOX_SERVER_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "certificate.h"
#include "journal.h"
#include "raw.h"
#include "sandbox/faults/fault.h"
#include "sandbox/image/picture.h"
#include "sandbox/service/service.h"
#include "waiting.h"

enum {
  SERVER_MAX_KEY = 256,         /* bytes of an API key, NUL included */
  SERVER_MAX_BODY = 256 * 1024, /* above: 413 */
  SERVER_MAX_CONNECTIONS = 4096,
  SERVER_MAX_ERROR = 256
};

typedef struct ServerOptions {
  unsigned port; /* 0: any */
  char api_key[SERVER_MAX_KEY];
  bool tls;
  CertificateFlaw flaw;
  int image_size;     /* the longer side, in pixels */
  size_t image_bytes; /* of every generated image; 0: as they come */
  ServiceOptions service;
} ServerOptions;

typedef struct Server {
  struct Server *next;  /* see server.c's running */
  pthread_mutex_t lock; /* guards from here ... */
  Service service;
  Journal journal;
  FaultList faults;
  uint64_t requests[ON_ANY]; /* by what was asked for */
  uint64_t connections;
  uint64_t open, most; /* connections: now, and at once at most */
  double ahead;        /* seconds the service's clock was advanced by */
  /* ... to here; what follows is constant while the daemon runs */
  ServerOptions options;
  char url[64];
  double started; /* on the monotonic clock */
  pid_t pid;
  bool running;
  struct MHD_Daemon *daemon;
  Certificate certificate;
  Waiting waiting;
  Raw raw;
  PictureCache pictures; /* the daemon's thread only */
} Server;

/* NULL: `error` says why. */
Server *server_start(const ServerOptions *options,
                     char error[SERVER_MAX_ERROR]);

/* Ends threads and connections; the books stay readable. Repeatable. In a
 * forked child, which has no such threads, it does nothing. */
void server_stop(Server *server);
void server_free(Server *server);

/* The service's time, in seconds; the caller holds the lock. */
double server_now(const Server *server);

/* False: no memory. */
bool server_fault(Server *server, const Fault *rule);
void server_clear(Server *server);

/* Lets the service's clock jump ahead. */
void server_advance(Server *server, double seconds);

/* The books at one moment. */
typedef struct Totals {
  int64_t credits, charged, refunded;
  uint64_t connections, open, most, requests[ON_ANY];
  size_t jobs, entries; /* how many jobs and log entries there are */
} Totals;

/* A job with the fields that change, as they were. */
typedef struct JobView {
  const Job *job;
  JobStatus status;
  uint64_t posts, polls;
  bool refunded;
} JobView;

Totals server_totals(Server *server);

/*
 * Fills in the oldest, up to `most`, and returns how many there are in the
 * array. What came after `most` was counted is left for the next look: an
 * entry that was seen once stays in sight.
 */
size_t server_jobs(Server *server, JobView *views, size_t most);
size_t server_entries(Server *server, JournalEntry *entries, size_t most);

#endif
