/*
 * One running sandbox: an HTTP server on loopback, the service behind it and
 * the faults in front of it. server_start and the calls below it belong to
 * the thread of the Lua state; the daemon's thread runs exchange.c; `lock`
 * guards what both touch.
 */
#ifndef GPTIMAGE2_SANDBOX_SERVER_H
#define GPTIMAGE2_SANDBOX_SERVER_H

#include "server_state.h"

/* NULL: `error` says why. */
Server *server_start(const ServerOptions *options,
                     char error[SERVER_MAX_ERROR]);

/* Ends threads and connections; the books stay readable. Repeatable. In a
 * forked child, which has no such threads, it does nothing. */
void server_stop(Server *server);
void server_free(Server *server);

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
