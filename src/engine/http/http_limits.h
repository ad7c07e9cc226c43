/*
 * How long an exchange may take: for the connection, for all of it, and without
 * a byte.
 *
 * What has arrived is read before a limit is enforced: a process that was
 * stopped (Ctrl-Z, a container's pause, a debugger) for longer than its limits
 * finds the answers in its sockets, and a paid job in one of them.  libcurl's
 * own limits cannot do that, it looks at the clock first; so they are off, or
 * moved along.  Split from http.c and private to it.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_HTTP_LIMITS_H
#define GPTIMAGE2_ENGINE_HTTP_LIMITS_H

#include "exchange.h"

/* Before the handle begins: all of it may take `timeout` seconds, which may be
 * infinite.  False when libcurl has no memory. */
bool http_limits_prepare(Exchange *exchange, double timeout);

/* Sets its timer, for which there must be room in loop->limits. */
void http_limits_start(Loop *loop, Exchange *exchange);

/* The connection is there, the request about to go out.  Inside libcurl. */
void http_limits_connected(Exchange *exchange);

/* The rest of the answer is of no use: it gets a moment, and counts as read
 * when that has passed.  Inside libcurl. */
void http_limits_hurry(Exchange *exchange);

/* An answer of the service broke off: a connection that libcurl keeps may be
 * dead, and the next creates of this account need others. */
void http_limits_distrust(const Exchange *exchange);

/* Whether kept connections may be dead although they are young: this machine
 * was asleep (`asleep`: seconds in its life so far) and its monotonic clock
 * stood still, or exchanges from before that are still on their way. */
bool http_limits_stale(Loop *loop, double asleep, double now);

/* An exchange that has had its time; NULL when there is none. */
Exchange *http_limits_overdue(Loop *loop);

#endif
