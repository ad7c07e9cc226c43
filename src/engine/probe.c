/* Looking at reference images before money is spent: see probe.h. */
#include "probe.h"

#include "address.h"
#include "clock.h"
#include "image.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEAD_RANGE "0-63" /* the bytes asked for */
#define REDIRECT_MAX 3

typedef struct Look {
  Exchange *exchange; /* NULL when it is over */
  char *redirected;   /* owned: where a redirect led, or NULL */
  unsigned redirects;
  char head[IMAGE_HEAD];
  size_t head_length;
} Look;

struct Probe {
  Loop *loop;
  Account *account;
  char *const *urls;
  unsigned count;
  unsigned running;
  double deadline;
  ProbeDone done;
  void *owner;
  Look looks[PROBE_MAX];
};

static void on_looked(Exchange *exchange);

/* Enough bytes are enough: the rest of the image is not fetched. */
static bool on_bytes(Exchange *exchange, const char *bytes, size_t length) {
  Look *look = &((Probe *)exchange->owner)->looks[exchange->index];
  size_t room = IMAGE_HEAD - look->head_length;
  size_t taken = length < room ? length : room;
  memcpy(look->head + look->head_length, bytes, taken);
  look->head_length += taken;
  return look->head_length < IMAGE_HEAD;
}

static bool start_look(Probe *probe, unsigned index, Failure *failure) {
  Look *look = &probe->looks[index];
  HttpFetch fetch = {
      .url = look->redirected ? look->redirected : probe->urls[index],
      .range = HEAD_RANGE,
      .timeout = probe->deadline - clock_monotonic(),
      .public_only = !probe->account->settings.allow_private_references};
  if (fetch.timeout < 0.001)
    fetch.timeout = 0.001;
  look->head_length = 0;
  look->exchange =
      http_fetch(probe->loop, probe->account, &fetch, on_bytes, failure);
  if (!look->exchange)
    return false;
  look->exchange->done = on_looked;
  look->exchange->owner = probe;
  look->exchange->index = index;
  return true;
}

static void free_probe(Probe *probe) {
  for (unsigned i = 0; i < probe->count; i++) {
    if (probe->looks[i].exchange)
      http_abort(probe->loop, probe->looks[i].exchange);
    free(probe->looks[i].redirected);
  }
  free(probe);
}

static void finish(Probe *probe, int bad, Failure *failure) {
  ProbeDone done = probe->done;
  void *owner = probe->owner;
  free_probe(probe);
  done(owner, bad, failure);
}

static void refuse(Failure *failure, const char *url, const char *why) {
  failure_set(failure, "validation", "reference_unreachable",
              "the reference image %.*s %s", url_shown(url), url, why);
}

/* Follows a redirect, after the same checks as for the first URL.  True when a
 * new look has been started. */
static bool follow(Probe *probe, Exchange *exchange, Failure *failure) {
  Look *look = &probe->looks[exchange->index];
  unsigned index = exchange->index;
  const char *target = http_redirect(exchange);
  Url url;
  if (!target || look->redirects++ >= REDIRECT_MAX) {
    refuse(failure, probe->urls[index], "redirects too often");
    return false;
  }
  if (url_parse(target, strlen(target), &url) || url.userinfo) {
    refuse(failure, probe->urls[index], "redirects to a URL that is not valid");
    return false;
  }
  free(look->redirected);
  look->redirected = strdup(target);
  if (!look->redirected) {
    refuse(failure, probe->urls[index], "could not be looked at: no memory");
    return false;
  }
  http_release(exchange);
  look->exchange = NULL;
  return start_look(probe, index, failure);
}

static bool is_image(const Exchange *exchange, const Look *look) {
  return strncasecmp(http_content_type(exchange), "image/", 6) == 0 ||
         image_extension(look->head, look->head_length);
}

/* True when the answer is a usable image; else `failure` says why not. */
static bool judge(const Probe *probe, const Exchange *exchange,
                  Failure *failure) {
  const Look *look = &probe->looks[exchange->index];
  const char *url = probe->urls[exchange->index];
  int status = exchange->reply.status;
  char why[64];
  if (exchange->private_address)
    refuse(failure, url,
           "is at a private, loopback or link-local address, which the service "
           "cannot reach (allow_private_references permits it, for tests)");
  else if (exchange->reply.kind != REPLY_ANSWERED && !exchange->stopped)
    failure_set(failure, "validation", "reference_unreachable",
                "the reference image %.*s did not answer: %s", url_shown(url),
                url, exchange->failure.detail ? exchange->failure.detail : "");
  else if (status != 200 && status != 206) {
    snprintf(why, sizeof why, "answered with HTTP status %d", status);
    refuse(failure, url, why);
  } else if (!is_image(exchange, look))
    refuse(failure, url, "is not an image");
  else
    return true;
  return false;
}

static void on_looked(Exchange *exchange) {
  Probe *probe = exchange->owner;
  unsigned index = exchange->index;
  int status = exchange->reply.status;
  Failure failure = {0};
  if (exchange->reply.kind == REPLY_ANSWERED && status >= 300 && status < 400) {
    if (follow(probe, exchange, &failure))
      return;
  } else {
    judge(probe, exchange, &failure);
  }
  if (probe->looks[index].exchange == exchange) {
    http_release(exchange);
    probe->looks[index].exchange = NULL;
  }
  probe->running--;
  if (failure.kind)
    finish(probe, (int)index, &failure);
  else if (probe->running == 0)
    finish(probe, -1, &failure);
}

Probe *probe_start(Loop *loop, Account *account, char *const *urls,
                   unsigned count, double timeout, ProbeDone done,
                   void *owner) {
  Probe *probe = calloc(1, sizeof *probe);
  Failure failure = {0};
  if (!probe)
    return NULL;
  probe->loop = loop;
  probe->account = account;
  probe->urls = urls;
  probe->count = count < PROBE_MAX ? count : PROBE_MAX;
  probe->deadline = clock_monotonic() + timeout;
  probe->done = done;
  probe->owner = owner;
  for (unsigned i = 0; i < probe->count; i++, probe->running++)
    if (!start_look(probe, i, &failure)) {
      failure_clear(&failure);
      free_probe(probe);
      return NULL;
    }
  return probe;
}

void probe_abort(Probe *probe) {
  free_probe(probe);
}
