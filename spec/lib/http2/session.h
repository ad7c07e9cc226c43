/* One connection of the HTTP/2 server: see server.c. */
#ifndef GPTIMAGE2_SPEC_HTTP2_SESSION_H
#define GPTIMAGE2_SPEC_HTTP2_SESSION_H

#include "sandbox/server/certificate.h"

#include <stdbool.h>

typedef struct Script {
  unsigned limit, refuse, goaway, reset, every; /* 0 = not */
  unsigned delay, late;                         /* milliseconds */
  bool wants_http1, only_http1;
  const char *priority;
} Script;

/* Once, before the first session. */
void session_set_up(const Certificate *certificate);

/* Serves a connection to its end. */
void session_serve(int fd, const Script *script);

/* server.c's: writes a line into the books; the number of a create. */
void book(const char *what, const char *key);
unsigned next_create(void);

#endif
