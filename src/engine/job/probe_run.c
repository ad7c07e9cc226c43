/* Looking at reference images before money is spent: see probe.h. */
#include "look.h"

#include "engine/base/address.h"
#include "engine/base/clock.h"
#include "engine/base/shortage.h"
#include "engine/files/image.h"

#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEAD_RANGE "0-63" /* the bytes asked for: IMAGE_HEAD of them */
#define REDIRECT_MAX 3
#define LOOK_TIMEOUT 10.0 /* seconds, from its place on, redirects included */
#define TRIES 2
#define PAUSE 1.0 /* seconds before the second, where the host names none */

static void on_looked(Exchange *exchange);

/* ---- one look ---- */

/* Enough bytes are enough: the rest of the image is not fetched. */
static bool on_bytes(Exchange *exchange, const char *bytes, size_t length) {
  Look *look = exchange->owner;
  size_t room = IMAGE_HEAD - look->head_length;
  size_t taken = length < room ? length : room;
  memcpy(look->head + look->head_length, bytes, taken);
  look->head_length += taken;
  return look->head_length < IMAGE_HEAD;
}

static bool start_look(Look *look, Failure *failure) {
  Probe *probe = look->probe;
  HttpFetch fetch = {.url = look->redirected ? look->redirected
                                             : probe->spec.urls[look->index],
                     .range = HEAD_RANGE,
                     .timeout = fmax(look->deadline - clock_monotonic(), 0.001),
                     .public_only =
                         !probe->account->settings.allow_private_references};
  look->head_length = 0;
  look->exchange = http_fetch(probe->loop, &probe->account->service, &fetch,
                              on_bytes, failure);
  if (!look->exchange)
    return false;
  look->exchange->done = on_looked;
  look->exchange->owner = look;
  return true;
}

/* From its front door, whatever the try before was redirected to. */
static bool try_look(Look *look, Failure *failure) {
  double limit = look->probe->account->settings.request_timeout;
  free(look->redirected);
  look->redirected = NULL;
  look->redirects = 0;
  look->tries++;
  look->deadline = clock_monotonic() + fmin(limit, LOOK_TIMEOUT);
  return start_look(look, failure);
}

static void free_probe(Probe *probe) {
  for (unsigned i = 0; i < probe->spec.count; i++) {
    Look *look = &probe->looks[i];
    look_leave(look);
    if (look->exchange)
      http_abort(probe->loop, look->exchange);
    free(look->redirected);
  }
  free(probe->lacking);
  free(probe);
}

/* `bad`: NULL when all are usable. */
static void finish(Probe *probe, ProbeFailure *bad) {
  ProbeDone done = probe->spec.done;
  void *owner = probe->spec.owner;
  free_probe(probe);
  done(owner, bad);
}

/* The owner's timer goes off for the first of those that rest. */
static void set_timer(Probe *probe) {
  double at = probe->spec.deadline;
  for (unsigned i = 0; i < probe->spec.count; i++)
    if (probe->looks[i].again_at > 0)
      at = fmin(at, probe->looks[i].again_at);
  if (isinf(at))
    heap_clear(&probe->loop->heap, probe->spec.timer);
  else
    heap_set(&probe->loop->heap, probe->spec.timer, at);
}

/* This machine lacks something: that was no try, and says nothing of the
 * reference. */
static void wait_out(Look *look, Failure *failure) {
  Probe *probe = look->probe;
  look->tries--;
  look->again_at = clock_monotonic() + shortage_pause(++probe->shortages, 0.5);
  free(probe->lacking);
  probe->lacking = failure->detail;
  failure->detail = NULL;
  failure_clear(failure);
}

void probe_explain(const Probe *probe, Failure *failure) {
  if (probe->lacking)
    failure_set(failure, "network", "connect_failed", "%s", probe->lacking);
}

void checks_advance(Checks *checks) {
  Look **place;
  Look *look;
  if (checks->dispatching)
    return;
  checks->dispatching = true;
  while ((place = look_place(checks)) && (look = look_next(checks))) {
    ProbeFailure bad = {.index = look->index, .retry_after = -1};
    queue_remove(&look->link);
    *place = look;
    if (try_look(look, &bad.failure))
      continue;
    if (shortage_explains(&bad.failure)) {
      look_leave(look);
      wait_out(look, &bad.failure);
      set_timer(look->probe);
    } else {
      finish(look->probe, &bad);
    }
  }
  checks->dispatching = false;
}

/* ---- the end of a try ---- */

static void refuse(ProbeFailure *bad, const char *url, const char *why) {
  failure_set(&bad->failure, "validation", "reference_unreachable",
              "the reference image %.*s %s", url_shown(url), url, why);
}

static bool is_temporary_status(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

/* Whether the same question may get a better answer: the host was asked, or
 * could not be connected to.  A name that leads nowhere is a wrong one. */
static bool is_temporary(const Exchange *exchange) {
  const char *code = exchange->failure.code;
  if (exchange->stopped || exchange->private_address)
    return false;
  switch (exchange->reply.kind) {
  case OUTCOME_ANSWERED:
    return is_temporary_status(exchange->reply.status);
  case OUTCOME_HOPELESS:
    return false;
  case OUTCOME_LOST:
  case OUTCOME_NOT_SENT:
  case OUTCOME_HELD: /* creates alone are */
    break;
  }
  return !(code && strcmp(code, "dns_failed") == 0);
}

/* Follows a redirect, after the same checks as for the first URL.  True when a
 * new exchange has been started. */
static bool follow(Look *look, Exchange *exchange, ProbeFailure *bad) {
  const char *from = look->probe->spec.urls[look->index];
  const char *target = http_redirect(exchange);
  Url url;
  if (look->redirects++ >= REDIRECT_MAX) {
    refuse(bad, from, "redirects too often");
    return false;
  }
  if (!target || url_parse(target, strlen(target), &url) || url.userinfo) {
    refuse(bad, from, "redirects to a URL that is not valid");
    return false;
  }
  free(look->redirected);
  look->redirected = strdup(target);
  if (!look->redirected) {
    refuse(bad, from, "could not be looked at: no memory");
    return false;
  }
  http_release(exchange);
  look->exchange = NULL;
  return start_look(look, &bad->failure);
}

static bool is_image(const Exchange *exchange, const Look *look) {
  return strncasecmp(http_content_type(exchange), "image/", 6) == 0 ||
         image_extension(look->head, look->head_length);
}

static void refuse_answer(ProbeFailure *bad, const Look *look,
                          const Exchange *exchange) {
  const char *url = look->probe->spec.urls[look->index];
  failure_set(&bad->failure, "validation", "reference_unreachable",
              "the reference image %.*s answered with HTTP status %d%s",
              url_shown(url), url, exchange->reply.status,
              look->tries > 1 ? ", twice" : "");
}

/* An answer that is a usable image leaves `bad` as it is. */
static void judge(const Look *look, const Exchange *exchange,
                  ProbeFailure *bad) {
  const char *url = look->probe->spec.urls[look->index];
  int status = exchange->reply.status;
  /* Read to the end, or to where there was enough of it: both are answers. */
  bool answered = exchange->reply.kind == OUTCOME_ANSWERED || exchange->stopped;
  if (exchange->private_address)
    refuse(bad, url,
           "is at a private, loopback or link-local address, which the service "
           "cannot reach (allow_private_references permits it, for tests)");
  else if (!answered)
    failure_set(&bad->failure, "validation", "reference_unreachable",
                "the reference image %.*s did not answer: %s", url_shown(url),
                url, exchange->failure.detail ? exchange->failure.detail : "");
  else if (status != 200 && status != 206)
    refuse_answer(bad, look, exchange);
  else if (!is_image(exchange, look))
    refuse(bad, url, "is not an image");
  if (!bad->failure.kind)
    return;
  bad->status = status;
  bad->retry_after = exchange->reply.retry_after;
  bad->temporary = is_temporary(exchange);
}

/* What its exchange, or the lack of one, says of this machine. */
static bool is_short(const Look *look, Failure *failure) {
  return look->exchange ? look->exchange->shortage != NULL
                        : shortage_explains(failure);
}

/* Busy for the moment: a second try, unless that is far away.  One that said
 * nothing in all its time had its chance. */
static bool rest(Look *look, const Exchange *exchange,
                 const ProbeFailure *bad) {
  double pause = fmax(bad->retry_after, PAUSE);
  if (!bad->temporary || exchange->reply.timed_out || look->tries >= TRIES ||
      pause > LOOK_TIMEOUT)
    return false;
  look->again_at = clock_monotonic() + pause;
  return true;
}

void probe_on_timer(Probe *probe, double now) {
  for (unsigned i = 0; i < probe->spec.count; i++) {
    Look *look = &probe->looks[i];
    if (look->again_at <= 0 || look->again_at > now)
      continue;
    look->again_at = 0;
    look_join(look);
  }
  set_timer(probe);
  checks_advance(probe->checks);
}

static void on_looked(Exchange *exchange) {
  Look *look = exchange->owner;
  Probe *probe = look->probe;
  Checks *checks = probe->checks;
  ProbeFailure bad = {.index = look->index, .retry_after = -1};
  if (!http_is_redirect(exchange))
    judge(look, exchange, &bad);
  else if (follow(look, exchange, &bad))
    return;
  look_leave(look);
  if (bad.failure.kind && is_short(look, &bad.failure)) {
    wait_out(look, &bad.failure);
    set_timer(probe);
  } else if (bad.failure.kind && look->exchange && rest(look, exchange, &bad)) {
    failure_clear(&bad.failure);
    set_timer(probe);
  } else {
    probe->left--;
  }
  if (look->exchange) /* a redirect has let go of it */
    http_release(exchange);
  look->exchange = NULL;
  if (bad.failure.kind)
    finish(probe, &bad);
  else if (probe->left == 0)
    finish(probe, NULL);
  checks_advance(checks);
}

Probe *probe_start(Loop *loop, Checks *checks, Account *account,
                   const ProbeSpec *spec) {
  Probe *probe = calloc(1, sizeof *probe + spec->count * sizeof *probe->looks);
  if (!probe)
    return NULL;
  probe->loop = loop;
  probe->checks = checks;
  probe->account = account;
  probe->spec = *spec;
  probe->left = spec->count;
  for (unsigned i = 0; i < spec->count; i++) {
    Look *look = &probe->looks[i];
    Url url = {.host = ""};
    url_parse(spec->urls[i], strlen(spec->urls[i]), &url);
    look->probe = probe;
    look->index = i;
    look->host = url.host ? url.host : "";
    look->host_length = url.host_length;
    look_join(look);
  }
  set_timer(probe);
  return probe;
}

void probe_abort(Probe *probe) {
  Checks *checks = probe->checks;
  free_probe(probe);
  checks_advance(checks);
}
