/* Looking at reference images before money is spent: see probe.h. */
#include "reference_check.h"

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

static void on_checked_one(Exchange *exchange);

/* ---- one check ---- */

/* Enough bytes are enough: the rest of the image is not fetched. */
static bool on_bytes(Exchange *exchange, const char *bytes, size_t length) {
  ReferenceCheck *check = exchange->owner;
  size_t room = IMAGE_HEAD - check->head_length;
  size_t taken = length < room ? length : room;
  memcpy(check->head + check->head_length, bytes, taken);
  check->head_length += taken;
  return check->head_length < IMAGE_HEAD;
}

static bool start_check(ReferenceCheck *check, Failure *failure) {
  Probe *probe = check->probe;
  HttpFetch fetch = {
      .url = check->redirected ? check->redirected
                               : probe->spec.urls[check->index],
      .range = HEAD_RANGE,
      .timeout = fmax(check->deadline - clock_monotonic(), 0.001),
      .public_only = !probe->account->settings.allow_private_references};
  check->head_length = 0;
  check->exchange = http_fetch(probe->loop, &probe->account->service, &fetch,
                               on_bytes, failure);
  if (!check->exchange)
    return false;
  check->exchange->done = on_checked_one;
  check->exchange->owner = check;
  return true;
}

/* From its front door, whatever the try before was redirected to. */
static bool try_check(ReferenceCheck *check, Failure *failure) {
  double limit = check->probe->account->settings.request_timeout;
  free(check->redirected);
  check->redirected = NULL;
  check->redirects = 0;
  check->tries++;
  check->deadline = clock_monotonic() + fmin(limit, LOOK_TIMEOUT);
  return start_check(check, failure);
}

static void free_probe(Probe *probe) {
  for (unsigned i = 0; i < probe->spec.count; i++) {
    ReferenceCheck *check = &probe->references[i];
    reference_check_release(check);
    if (check->exchange)
      http_abort(probe->loop, check->exchange);
    free(check->redirected);
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
    if (probe->references[i].again_at > 0)
      at = fmin(at, probe->references[i].again_at);
  if (isinf(at))
    heap_clear(&probe->loop->heap, probe->spec.timer);
  else
    heap_set(&probe->loop->heap, probe->spec.timer, at);
}

/* This machine lacks something: that was no try, and says nothing of the
 * reference. */
static void wait_out(ReferenceCheck *check, Failure *failure) {
  Probe *probe = check->probe;
  check->tries--;
  check->again_at = clock_monotonic() + shortage_pause(++probe->shortages, 0.5);
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
  ReferenceCheck **place;
  ReferenceCheck *check;
  if (checks->dispatching)
    return;
  checks->dispatching = true;
  while ((place = reference_check_place(checks)) &&
         (check = reference_check_next(checks))) {
    ProbeFailure bad = {.index = check->index, .retry_after = -1};
    queue_remove(&check->link);
    *place = check;
    if (try_check(check, &bad.failure))
      continue;
    if (shortage_explains(&bad.failure)) {
      reference_check_release(check);
      wait_out(check, &bad.failure);
      set_timer(check->probe);
    } else {
      finish(check->probe, &bad);
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
static bool follow(ReferenceCheck *check, Exchange *exchange,
                   ProbeFailure *bad) {
  const char *from = check->probe->spec.urls[check->index];
  const char *target = http_redirect(exchange);
  Url url;
  if (check->redirects++ >= REDIRECT_MAX) {
    refuse(bad, from, "redirects too often");
    return false;
  }
  if (!target || url_parse(target, strlen(target), &url) || url.userinfo) {
    refuse(bad, from, "redirects to a URL that is not valid");
    return false;
  }
  free(check->redirected);
  check->redirected = strdup(target);
  if (!check->redirected) {
    refuse(bad, from, "could not be looked at: no memory");
    return false;
  }
  http_release(exchange);
  check->exchange = NULL;
  return start_check(check, &bad->failure);
}

static bool is_image(const Exchange *exchange, const ReferenceCheck *check) {
  return strncasecmp(http_content_type(exchange), "image/", 6) == 0 ||
         image_extension(check->head, check->head_length);
}

static void refuse_answer(ProbeFailure *bad, const ReferenceCheck *check,
                          const Exchange *exchange) {
  const char *url = check->probe->spec.urls[check->index];
  failure_set(&bad->failure, "validation", "reference_unreachable",
              "the reference image %.*s answered with HTTP status %d%s",
              url_shown(url), url, exchange->reply.status,
              check->tries > 1 ? ", twice" : "");
}

/* An answer that is a usable image leaves `bad` as it is. */
static void judge(const ReferenceCheck *check, const Exchange *exchange,
                  ProbeFailure *bad) {
  const char *url = check->probe->spec.urls[check->index];
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
    refuse_answer(bad, check, exchange);
  else if (!is_image(exchange, check))
    refuse(bad, url, "is not an image");
  if (!bad->failure.kind)
    return;
  bad->status = status;
  bad->retry_after = exchange->reply.retry_after;
  bad->temporary = is_temporary(exchange);
}

/* What its exchange, or the lack of one, says of this machine. */
static bool is_short(const ReferenceCheck *check, Failure *failure) {
  return check->exchange ? check->exchange->shortage != NULL
                         : shortage_explains(failure);
}

/* Busy for the moment: a second try, unless that is far away.  One that said
 * nothing in all its time had its chance. */
static bool rest(ReferenceCheck *check, const Exchange *exchange,
                 const ProbeFailure *bad) {
  double pause = fmax(bad->retry_after, PAUSE);
  if (!bad->temporary || exchange->reply.timed_out || check->tries >= TRIES ||
      pause > LOOK_TIMEOUT)
    return false;
  check->again_at = clock_monotonic() + pause;
  return true;
}

void probe_on_timer(Probe *probe, double now) {
  for (unsigned i = 0; i < probe->spec.count; i++) {
    ReferenceCheck *check = &probe->references[i];
    if (check->again_at <= 0 || check->again_at > now)
      continue;
    check->again_at = 0;
    reference_check_wait(check);
  }
  set_timer(probe);
  checks_advance(probe->checks);
}

static void on_checked_one(Exchange *exchange) {
  ReferenceCheck *check = exchange->owner;
  Probe *probe = check->probe;
  Checks *checks = probe->checks;
  ProbeFailure bad = {.index = check->index, .retry_after = -1};
  if (!http_is_redirect(exchange))
    judge(check, exchange, &bad);
  else if (follow(check, exchange, &bad))
    return;
  reference_check_release(check);
  if (bad.failure.kind && is_short(check, &bad.failure)) {
    wait_out(check, &bad.failure);
    set_timer(probe);
  } else if (bad.failure.kind && check->exchange &&
             rest(check, exchange, &bad)) {
    failure_clear(&bad.failure);
    set_timer(probe);
  } else {
    probe->left--;
  }
  if (check->exchange) /* a redirect has let go of it */
    http_release(exchange);
  check->exchange = NULL;
  if (bad.failure.kind)
    finish(probe, &bad);
  else if (probe->left == 0)
    finish(probe, NULL);
  checks_advance(checks);
}

Probe *probe_start(Loop *loop, Checks *checks, Account *account,
                   const ProbeSpec *spec) {
  Probe *probe =
      calloc(1, sizeof *probe + spec->count * sizeof *probe->references);
  if (!probe)
    return NULL;
  probe->loop = loop;
  probe->checks = checks;
  probe->account = account;
  probe->spec = *spec;
  probe->left = spec->count;
  for (unsigned i = 0; i < spec->count; i++) {
    ReferenceCheck *check = &probe->references[i];
    Url url = {.host = ""};
    url_parse(spec->urls[i], strlen(spec->urls[i]), &url);
    check->probe = probe;
    check->index = i;
    check->host = url.host ? url.host : "";
    check->host_length = url.host_length;
    reference_check_wait(check);
  }
  set_timer(probe);
  return probe;
}

void probe_abort(Probe *probe) {
  Checks *checks = probe->checks;
  free_probe(probe);
  checks_advance(checks);
}
