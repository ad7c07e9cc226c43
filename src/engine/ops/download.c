/*
 * One image to a file or into memory: attempts, redirects, resuming, checks.
 *
 * The URL is the server's word and is not trusted: every hop is checked, no key
 * goes along, the bytes must be an image.  engine_download runs on the host's
 * thread, the rest on the I/O thread.
 */
#include "download.h"
#include "engine/base/clock.h"
#include "engine/base/shortage.h"
#include "engine/core/account.h"
#include "engine/files/image.h"
#include "engine/files/twin.h"
#include "engine/rules/policy.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDIRECT_MAX 3
#define READ_SIZE (256L << 10) /* bytes: fewer, larger reads */
#define PATH_SIZE 4096         /* bytes of a path, filled in */
#define STALL_TIMEOUT 30.0     /* seconds without a byte, at most */

static void attempt(Download *download);
static void on_fetched(Exchange *exchange);

static void end(Download *download) {
  Downloads *downloads = engine_downloads(download->op.engine);
  DownloadHost *host = download->host;
  file_abandon(&download->file);
  download->host = NULL;
  op_end(&download->op);
  if (!host)
    return;
  download_host_leave(downloads, host, &download->permit);
  downloads_advance(downloads);
}

static void fail(Download *download, const char *kind, const char *code,
                 const char *why) {
  download_set_failure(download, kind, code, why);
  end(download);
}

/* ---- the end of an attempt ---- */

/* The path with "{ext}" filled in, in a new allocation.  Only in its last part:
 * the folder is there already, under the name it was given. */
static char *final_path(const char *pattern, const char *extension) {
  Buffer path;
  const char *place = strrchr(pattern, '/');
  size_t length = place ? (size_t)(place + 1 - pattern) : 0;
  bool ok;
  buffer_init(&path, PATH_SIZE);
  ok = buffer_append(&path, pattern, length);
  pattern += length;
  while (ok && (place = strstr(pattern, "{ext}"))) {
    ok = buffer_append(&path, pattern, (size_t)(place - pattern)) &&
         buffer_append(&path, extension, strlen(extension));
    pattern = place + 5;
  }
  if (ok && buffer_append(&path, pattern, strlen(pattern)))
    return buffer_detach(&path, &length);
  buffer_free(&path);
  return NULL;
}

/* The ledger is told when the file has its name: flushed before the host hears
 * of it. */
static void record(Download *download, const char *path) {
  Ledger *ledger = download->op.account->ledger;
  if (!ledger || !download->key)
    return;
  ledger_save_file(ledger, download->key, download->n, path);
  op_touch_ledger(&download->op);
}

static void deliver(Download *download) {
  Event *last = &download->op.last;
  size_t have = (size_t)download->length;
  const char *extension =
      image_extension(download->head, have < IMAGE_HEAD ? have : IMAGE_HEAD);
  char *path;
  last->format = extension;
  if (!extension) {
    fail(download, "protocol", "not_an_image",
         "what came back is not an image (PNG, JPEG, WebP, GIF, AVIF)");
    return;
  }
  if (!download->path) {
    last->body = buffer_detach(&download->memory, &last->body_length);
    end(download);
    return;
  }
  path = final_path(download->path, extension);
  if (!path && strlen(download->path) + 8 < PATH_SIZE)
    failure_set(&last->failure, "io", "out_of_memory", "out of memory");
  else if (!path)
    failure_set(&last->failure, "io", "path_too_long", "the path is too long");
  else if (file_commit(&download->file, path, download->overwrite,
                       twin_has_same_bytes, &last->failure))
    last->path = path;
  else
    free(path);
  if (last->path)
    record(download, last->path);
  end(download);
}

static bool is_worth_repeating(const Download *download,
                               const Exchange *exchange) {
  int status = exchange->reply.status;
  if (exchange->reply.kind == OUTCOME_HOPELESS)
    return false;
  if (exchange->reply.kind != OUTCOME_ANSWERED)
    return !exchange->too_large;
  if (status == 403 || status == 404) /* copies of it are on their way */
    return download->fresh;
  return status == 408 || status == 425 || status == 429 || status >= 500 ||
         status == 416;
}

static void end_overdue(Download *download) {
  Failure *trouble = &download->trouble;
  if (trouble->detail) { /* which has the URL */
    failure_set(&download->op.last.failure, "timeout", "deadline_passed",
                "the time for the download ran out; %s", trouble->detail);
    end(download);
  } else {
    fail(download, "timeout", "deadline_passed",
         "the time for the download ran out");
  }
}

/* This machine lacks something (`trouble` says what): no attempt, and only the
 * deadline ends it. */
static void wait_out(Download *download) {
  double pause =
      shortage_pause(++download->shortages, engine_random(download->op.engine));
  download->attempts--;
  heap_set(&engine_loop(download->op.engine)->heap, &download->op.timer,
           fmin(clock_monotonic() + pause, download->deadline));
}

/* The file could not be opened, or the exchange not even be made. */
static void wait_out_failure(Download *download) {
  Failure *last = &download->op.last.failure;
  failure_set(&download->trouble, last->kind, last->code, "%s",
              last->detail ? last->detail : last->code);
  failure_clear(last);
  wait_out(download);
}

/* Waits and tries again, or ends with what `exchange` had to say. */
static void after_failure(Download *download, Exchange *exchange) {
  Event *last = &download->op.last;
  bool repeat = is_worth_repeating(download, exchange) &&
                download->attempts < DOWNLOAD_ATTEMPTS;
  double pause =
      policy_backoff(download->attempts, engine_random(download->op.engine));
  double at;
  if (exchange->reply.status == 403 || exchange->reply.status == 404)
    pause /= 2; /* this passes sooner */
  if (exchange->reply.retry_after > pause)
    pause = policy_clamp_retry_after(exchange->reply.retry_after);
  at = clock_monotonic() + pause;
  failure_clear(&last->failure);
  if (exchange->shortage) {
    download_set_reason(download, exchange, &download->trouble);
    wait_out(download);
    return;
  }
  if (exchange->reply.status == 416)
    download->length = 0; /* what we have is not a part of it: begin again */
  if (repeat && at < download->deadline) {
    download_set_reason(download, exchange, &download->trouble);
    heap_set(&engine_loop(download->op.engine)->heap, &download->op.timer, at);
    return;
  }
  last->status = exchange->reply.status;
  if (exchange->reply.timed_out && clock_monotonic() >= download->deadline) {
    end_overdue(download);
    return;
  }
  download_set_reason(download, exchange, &last->failure);
  end(download);
}

/* Whether the image may be fetched from there; ends the download if not. */
static bool may_fetch(Download *download, const char *url, const char *who) {
  ImageRules rules = service_image_rules(&download->op.account->service);
  const char *why = url_refuse_image(url, &rules);
  if (!why)
    return true;
  failure_set(&download->op.last.failure, "protocol", "image_url_refused",
              "%s a URL that is not fetched, for %s: %.*s", who, why,
              url_shown(url), url);
  end(download);
  return false;
}

/* One more hop, checked like the first. */
static void follow(Download *download, Exchange *exchange) {
  const char *target = http_redirect(exchange);
  if (!target) {
    fail(download, "protocol", "image_url_refused",
         "the image host redirects to what is no URL");
  } else if (download->redirects++ >= REDIRECT_MAX) {
    fail(download, "protocol", "too_many_redirects",
         "the image host redirects too often");
  } else if (may_fetch(download, target, "the image host redirects to")) {
    char *copy = strdup(target);
    free(download->redirected);
    download->redirected = copy;
    download->attempts--; /* a hop is not an attempt */
    attempt(download);
  }
}

/* Cut off, whatever HTTP says.  What is said to be all of it has no rest that
 * could be asked for: it is begun again. */
static void set_cut_off(Download *download, Exchange *exchange) {
  bool all = exchange->reply.status == 206
                 ? exchange->range_total == download->length
                 : exchange->framed;
  if (all)
    download->length = 0;
  exchange->reply.kind = OUTCOME_LOST;
  failure_set(&exchange->failure, "network", "reply_cut_off",
              "the image host ended its answer before the image's end");
}

static void conclude(Download *download, Exchange *exchange) {
  int status = exchange->reply.status;
  bool answered = exchange->reply.kind == OUTCOME_ANSWERED &&
                  download_is_whole(download, exchange);
  if (!answered && exchange->reply.kind == OUTCOME_ANSWERED)
    set_cut_off(download, exchange);
  if (shortage_is(&download->op.last.failure) && !download->opened)
    wait_out_failure(download);
  else if (download->op.last.failure.kind) /* of writing, or of too much */
    end(download);
  else if (exchange->private_address)
    fail(download, "protocol", "image_url_refused",
         "the image's URL leads to a private, loopback or link-local address, "
         "where the service itself is not");
  else if (http_is_redirect(exchange))
    follow(download, exchange);
  else if (answered && (status == 200 || status == 206) && download->checked)
    deliver(download);
  else if (answered && (status == 200 || status == 206))
    fail(download, "protocol", "not_an_image", "the image host sent nothing");
  else
    after_failure(download, exchange);
}

static void on_fetched(Exchange *exchange) {
  Download *download = exchange->owner;
  download->exchange = NULL;
  if (exchange->reply.kind == OUTCOME_ANSWERED)
    download->shortages = 0;
  conclude(download, exchange);
  http_release(exchange);
}

/* ---- the op ---- */

static void attempt(Download *download) {
  Account *account = download->op.account;
  const char *url = download->redirected ? download->redirected : download->url;
  bool resume = download->length > 0 && download->tag[0];
  char range[32];
  HttpFetch fetch = {.url = url,
                     .range = resume ? range : NULL,
                     .if_range = resume ? download->tag : NULL,
                     .timeout = download->deadline - clock_monotonic(),
                     .stall_timeout =
                         fmin(STALL_TIMEOUT, account->settings.request_timeout),
                     .buffer_size = READ_SIZE,
                     .public_only = account_wants_public(account, url)};
  snprintf(range, sizeof range, "%lld-", (long long)download->length);
  if (fetch.timeout <= 0) {
    end_overdue(download);
    return;
  }
  download->attempts++;
  download->checked = download->odd_part = false;
  download->exchange =
      http_fetch(engine_loop(download->op.engine), &account->service, &fetch,
                 download_on_bytes, &download->op.last.failure);
  if (!download->exchange) {
    if (shortage_explains(&download->op.last.failure))
      wait_out_failure(download);
    else
      end(download);
    return;
  }
  download->exchange->done = on_fetched;
  download->exchange->owner = download;
}

static void on_permit(Permit *permit) {
  Download *download =
      (Download *)(void *)((char *)permit - offsetof(Download, permit));
  download->deadline = clock_monotonic() + download->timeout;
  attempt(download);
}

static void start(Op *op) {
  Download *download = (Download *)op;
  Downloads *downloads = engine_downloads(op->engine);
  if (!may_fetch(download, download->url, "the service gave"))
    return;
  download->host = download_host_enter(downloads, download->url);
  if (!download->host) {
    failure_set(&op->last.failure, "network", "out_of_memory", "out of memory");
    end(download);
    return;
  }
  download->permit.begin = on_permit;
  download_host_join(download->host, &download->permit);
  downloads_advance(downloads);
}

static void on_timer(Op *op) {
  Download *download = (Download *)op;
  free(download->redirected); /* begin at the front door again */
  download->redirected = NULL;
  download->redirects = 0;
  attempt(download);
}

static void stop(Op *op) {
  Download *download = (Download *)op;
  if (download->exchange)
    http_abort(engine_loop(op->engine), download->exchange);
  download->exchange = NULL;
  file_abandon(&download->file);
}

static void on_cancel(Op *op) {
  stop(op);
  failure_set(&op->last.failure, "cancelled", "cancelled", "cancelled");
  end((Download *)op);
}

static void free_download(Op *op) {
  Download *download = (Download *)op;
  if (download->host) /* the engine ends */
    download_host_leave(engine_downloads(op->engine), download->host,
                        &download->permit);
  buffer_free(&download->memory);
  failure_clear(&download->trouble);
  free(download->url);
  free(download->redirected);
  free(download->path);
  free(download->key);
}

static const OpType download_type = {.start = start,
                                     .on_timer = on_timer,
                                     .on_cancel = on_cancel,
                                     .stop = stop,
                                     .free = free_download};

Op *engine_download(Engine *engine, Account *account, const DownloadSpec *spec,
                    uintptr_t owner) {
  Download *download = calloc(1, sizeof *download);
  if (!download)
    return NULL;
  download->file = FILE_CLOSED;
  buffer_init(&download->memory, ENGINE_IMAGE_MAX);
  download->url = url_encode(spec->url);
  download->path = spec->path ? strdup(spec->path) : NULL;
  download->key = spec->key ? strdup(spec->key) : NULL;
  download->n = spec->n;
  download->overwrite = spec->overwrite;
  download->fresh = spec->fresh;
  download->timeout = spec->timeout;
  if (!download->url || (spec->path && !download->path) ||
      (spec->key && !download->key)) {
    free_download(&download->op);
    free(download);
    return NULL;
  }
  return engine_start_op(engine, &download->op, &download_type, account, owner);
}
