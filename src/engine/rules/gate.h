/*
 * The gate in front of libcurl: which job may exchange something with its
 * service next.  There are so many places (max_connections) for all jobs of an
 * engine together, and a place is a connection.
 *
 * A job that waits has a link in itself and nothing else: no handle, no
 * descriptor, and no limit of time but its deadline.  Creates go before polls,
 * both by the time since which they wait.  But
 *
 *   - at most three quarters of the places are creates: a storm of them, or a
 *     service that answers none, does not starve jobs that are paid;
 *   - while there are clients of another origin, at most three quarters are one
 *     origin's, and of these three quarters creates; and one that has no create
 *     under way may begin one: an origin that says nothing keeps its places
 *     for long, and holds up no other;
 *   - where there is one place, a poll that waits for longer than it should
 *     goes before creates;
 *   - over HTTP/2 many polls share a place, as far as the server takes them; a
 *     create has a place for itself, and few creates have one at a time, for
 *     each takes a new connection (see http.c).
 *
 * Where this machine lacks something (descriptors, memory, ports), who had a
 * place waits again as if nothing had been, and there are fewer places for a
 * while.
 *
 * Pure but for the memory of origins.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_GATE_H
#define GPTIMAGE2_ENGINE_GATE_H

#include "adaptive_limit.h"
#include "engine/base/limits.h"
#include "engine/base/queue.h"

#include <stdbool.h>
#include <stdint.h>

#define GATE_STREAMS_MAX 100 /* polls on one connection */
#define GATE_CREATES_HTTP2 8 /* at a time, each on a connection of its own */
#define GATE_OVERDUE 2.0     /* seconds that a poll may wait */
#define GATE_PATIENCE 5.0    /* seconds that a create may wait for the host */

typedef enum GateKind { GATE_CREATE, GATE_POLL, GATE_KINDS } GateKind;

/* What an origin's answers told; creates over TLS wait for it, see above. */
typedef enum GateVersion {
  GATE_VERSION_UNKNOWN,
  GATE_HTTP1,
  GATE_HTTP2
} GateVersion;

struct GateOrigin;

/* What a job embeds; all zero at first. */
typedef struct GateLink {
  struct GateOrigin *origin; /* NULL = it neither waits nor has a place */
  QueueLink link;            /* among those who wait */
  double due;                /* monotonic seconds: since when it waits */
  GateKind kind;
  bool inside; /* it has a place */
  bool fresh;  /* which was a further one */
} GateLink;

/* A scheme, a host and a port (and a proxy on the way). */
typedef struct GateOrigin {
  uint64_t name;
  unsigned clients;
  Queue waiting[GATE_KINDS];
  unsigned inside[GATE_KINDS];
  unsigned places; /* that those inside take */
  GateVersion version;
  AdaptiveLimit streams; /* polls that share a connection, over HTTP/2 */
  struct GateOrigin *next;
} GateOrigin;

typedef struct Gate {
  void (*begin)(GateLink *link, double now); /* it has its place */
  GateOrigin *origins;
  unsigned clients[CONNECTIONS_MAX + 1]; /* by how many places they ask for */
  AdaptiveLimit limit; /* how many places there are: fewer after a shortage */
  unsigned used;       /* places */
  unsigned shortages;  /* in a row */
  const char *lacking; /* what was short last, in words; static, or NULL */
  double closed_until; /* after a shortage nobody begins before */
  bool spares_host;    /* creates wait a little: the host is behind */
} Gate;

void gate_init(Gate *gate, void (*begin)(GateLink *link, double now));
void gate_free(Gate *gate);

/* A client that asks for so many places is there, or gone.  `secure`: its
 * origin may speak HTTP/2.  NULL without memory. */
GateOrigin *gate_enter(Gate *gate, uint64_t name, bool secure, unsigned places);
void gate_quit(Gate *gate, GateOrigin *origin, unsigned places);

/* Waits for a place, since `due`. */
void gate_join(GateLink *link, GateOrigin *origin, GateKind kind, double due);

/* Gives its place back, or waits no more; nothing happens otherwise. */
void gate_leave(Gate *gate, GateLink *link);

static inline bool gate_is_waiting(const GateLink *link) {
  return link->origin && !link->inside;
}

/* How many places there are. */
unsigned gate_places(const Gate *gate);

/* Who goes next, at this time; NULL = nobody. */
GateLink *gate_next(const Gate *gate, double now);

/* Begins those who may.  True when there were any. */
bool gate_advance(Gate *gate, double now);

/* When to try that again although nobody has left; may be infinite. */
double gate_at(const Gate *gate);

/* ---- what came of an exchange, while it has its place ---- */

/* It was answered, over HTTP/2 or not. */
void gate_note_answer(Gate *gate, const GateLink *link, bool http2, double now);

/* The server did not take as many streams at once as were sent to it: it
 * refused one, or libcurl took a further connection. */
void gate_note_refused(Gate *gate, const GateLink *link, double now);

/* This machine lacked something (`lacking` says what: static, or NULL): nothing
 * went out.  `random` in [0, 1). */
void gate_note_shortage(Gate *gate, const char *lacking, double now,
                        double random);

/* What those wait for who have no place, in words; NULL = for others. */
const char *gate_lacking(const Gate *gate);

#endif
