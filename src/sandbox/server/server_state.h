/*
 * What a running sandbox is made of. `lock` guards what the thread of the Lua
 * state and the daemon's both touch.
 */
#ifndef GPTIMAGE2_SANDBOX_SERVER_STATE_H
#define GPTIMAGE2_SANDBOX_SERVER_STATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "certificate.h"
#include "delays.h"
#include "journal.h"
#include "raw_writer.h"
#include "sandbox/faults/fault.h"
#include "sandbox/image/picture.h"
#include "sandbox/service/service.h"

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
  Delays delays;
  RawWriters raw_writers;
  PictureCache pictures; /* the daemon's thread only */
} Server;

/* The service's time, in seconds; the caller holds the lock. */
static inline double server_now(const Server *server) {
  return delays_clock() - server->started + server->ahead;
}

#endif
