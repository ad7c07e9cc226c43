/* How long an exchange may take: see http_limits.h. */
#include "http_limits.h"

#include "engine/base/clock.h"

#include <math.h>
#include <stddef.h>

/* Seconds that an exchange gets after a delay, at most: enough for what is on
 * its way to arrive. */
#define GRACE_MAX 5.0

/* Seconds for the rest of an answer that nobody reads. */
#define HURRY 2.0

/* Seconds of sleep that a server may take for a broken connection. */
#define SLEEP_MIN 0.5

/* Seconds: longer than a create may use a kept connection. */
#define KEPT_MAX 3.0

static long to_milliseconds(double seconds) {
  double milliseconds = ceil(seconds * 1000);
  if (!(milliseconds < 1e9)) /* infinite, too: eleven days */
    return 1000000000L;
  return milliseconds < 1 ? 1 : (long)milliseconds;
}

/* libcurl divides the time for a connection among a host's addresses, so it is
 * told that limit.  The others stay off. */
static bool tell_connect_timeout(const Exchange *exchange) {
  double seconds =
      exchange->service->settings.connect_timeout + exchange->forgiven;
  return curl_lib.easy_setopt(exchange->easy, CURLOPT_CONNECTTIMEOUT_MS,
                              to_milliseconds(seconds)) == CURLE_OK;
}

/* When to look at it next; infinite = never. */
static double next_limit(const Exchange *exchange) {
  double at = exchange->until;
  if (!exchange->sent_once)
    at = fmin(at, exchange->connect_by);
  else if (exchange->stall > 0)
    at = fmin(at, exchange->heard_at + exchange->stall);
  return at;
}

static void set_timer(Loop *loop, Exchange *exchange) {
  double at = next_limit(exchange);
  if (isinf(at))
    heap_clear(&loop->limits, &exchange->limit);
  else
    heap_set(&loop->limits, &exchange->limit, at);
}

/* The thread was held up.  Nothing could be read in that time, and nothing sent
 * that an answer waits for: every exchange gets some of it back. */
static void forgive(Loop *loop, double now, double seconds) {
  double until = now + fmin(seconds, GRACE_MAX);
  for (QueueLink *link = loop->running.first; link; link = link->next) {
    Exchange *exchange = exchange_of_link(link);
    exchange->until = fmax(exchange->until, until);
    exchange->connect_by = fmax(exchange->connect_by, until);
    exchange->heard_at = fmax(exchange->heard_at, until - exchange->stall);
    exchange->forgiven += seconds;
    if (!exchange->sent_once)
      tell_connect_timeout(exchange);
    set_timer(loop, exchange);
  }
}

bool http_limits_prepare(Exchange *exchange, double timeout) {
  double now = clock_monotonic();
  exchange->heard_at = now;
  exchange->until = now + timeout;
  exchange->connect_by = now + exchange->service->settings.connect_timeout;
  exchange->forgiven = 0;
  return tell_connect_timeout(exchange);
}

void http_limits_start(Loop *loop, Exchange *exchange) {
  loop->on_delay = forgive;
  set_timer(loop, exchange);
}

/* The limit for the connection may be looked at late, one for silence not. */
void http_limits_connected(Exchange *exchange) {
  exchange->sent_once = true;
  if (exchange->stall <= 0)
    return;
  exchange->heard_at = clock_monotonic();
  set_timer(exchange->loop, exchange);
}

/* Without a connection, in a test, there is no timer. */
void http_limits_hurry(Exchange *exchange) {
  if (!exchange->loop)
    return;
  exchange->until = fmin(exchange->until, clock_monotonic() + HURRY);
  exchange->hurried = true;
  set_timer(exchange->loop, exchange);
}

void http_limits_distrust(const Exchange *exchange) {
  exchange->service->fresh_until = clock_monotonic() + KEPT_MAX;
}

/* A create needs a connection of its own until those that are kept have been
 * used again, or are too old to be used. */
bool http_limits_stale(Loop *loop, double asleep, double now) {
  if (asleep - loop->asleep > SLEEP_MIN) {
    loop->stale_until = now + KEPT_MAX;
    for (QueueLink *link = loop->running.first; link; link = link->next) {
      const Exchange *exchange = exchange_of_link(link);
      if (!exchange->without_key &&
          exchange->until + KEPT_MAX > loop->stale_until)
        loop->stale_until = exchange->until + KEPT_MAX;
    }
  }
  loop->asleep = asleep;
  return now < loop->stale_until;
}

static Exchange *exchange_of_limit(Timer *timer) {
  return (Exchange *)(void *)((char *)timer - offsetof(Exchange, limit));
}

/* A timer may be early: the request went out since, or a byte came. */
Exchange *http_limits_overdue(Loop *loop) {
  while (heap_first_at(&loop->limits) <= loop->read_at) {
    Exchange *exchange = exchange_of_limit(heap_first(&loop->limits));
    if (next_limit(exchange) <= loop->read_at)
      return exchange;
    set_timer(loop, exchange);
  }
  return NULL;
}
