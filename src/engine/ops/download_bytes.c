/* What comes of an image: see download.h. */
#include "download.h"

#include "engine/files/image.h"

#include <string.h>

void download_set_failure(Download *download, const char *kind,
                          const char *code, const char *why) {
  failure_set(&download->op.last.failure, kind, code, "%s: %.*s", why,
              url_shown(download->url), download->url);
}

static bool restart(Download *download) {
  download->length = 0;
  download->walk = (ImageWalk){0};
  if (!download->path) {
    buffer_free(&download->memory);
    return true;
  }
  return !download->opened ||
         file_restart(&download->file, &download->op.last.failure);
}

static bool open_once(Download *download) {
  if (!download->path || download->opened)
    return true;
  download->opened = file_open(&download->file, download->path,
                               engine_random_bits(download->op.engine),
                               &download->op.last.failure);
  return download->opened;
}

/* A part that is all of it is as good as a 200, if that can be seen. */
static bool is_from_start(const Exchange *exchange) {
  return exchange->reply.status == 200 ||
         (exchange->range_start == 0 && exchange->range_total > 0);
}

/* Whether a part belongs to the very bytes that we have (RFC 9110, 15.3.7.3).
 * A host that does not know If-Range sends one of what it has now. */
static bool is_of_the_same(const Download *download, const Exchange *exchange) {
  return strcmp(exchange->tag, download->tag) == 0 &&
         (download->total < 0 || exchange->range_total < 0 ||
          exchange->range_total == download->total);
}

/* Before the first byte of an exchange: does it go on where we stopped? */
static bool check_start(Download *download, Exchange *exchange) {
  bool goes_on = exchange->reply.status == 206 && download->length > 0 &&
                 exchange->range_start == download->length &&
                 is_of_the_same(download, exchange);
  download->checked = true;
  if (!open_once(download) || (!goes_on && !restart(download)))
    return false;
  download->odd_part = !goes_on && !is_from_start(exchange);
  if (download->odd_part)
    return false;
  memcpy(download->tag, exchange->tag, sizeof download->tag);
  if (!goes_on)
    download->total = exchange->reply.status == 200
                          ? http_content_length(exchange)
                          : exchange->range_total;
  return true;
}

static void keep_head(Download *download, const char *bytes, size_t length) {
  size_t have = (size_t)download->length;
  if (have >= IMAGE_HEAD)
    return;
  if (length > IMAGE_HEAD - have)
    length = IMAGE_HEAD - have;
  memcpy(download->head + have, bytes, length);
}

bool download_on_bytes(Exchange *exchange, const char *bytes, size_t length) {
  Download *download = exchange->owner;
  if (!download->checked && !check_start(download, exchange))
    return false;
  keep_head(download, bytes, length);
  image_walk(&download->walk, bytes, length);
  if ((uint64_t)download->length + length > ENGINE_IMAGE_MAX) {
    download_set_failure(download, "protocol", "image_too_large",
                         "the image is larger than 64 MiB");
    return false;
  }
  download->length += (int64_t)length;
  if (download->path)
    return file_append(&download->file, bytes, length,
                       &download->op.last.failure);
  return buffer_append(&download->memory, bytes, length);
}

bool download_is_whole(const Download *download, const Exchange *exchange) {
  int status = exchange->reply.status;
  if (status != 200 && status != 206)
    return true;
  if (status == 206 && exchange->range_total >= 0 &&
      exchange->range_total != download->length)
    return false;
  return image_walk_is_over(&download->walk);
}
