/*
 * One answer: what it says and which headers tell of it. Owns its texts and a
 * reference to its picture. Runs on the server's thread.
 */
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire.h"

static const char JSON_TYPE[] = "application/json";
static const char PNG_TYPE[] = "image/png";

/* ---- whole replies ---- */

Reply reply_error(unsigned status, const char *code) {
  WireText text = {0};
  if (!wire_error(&text, code)) {
    free(text.text);
    return (Reply){.status = status, .type = JSON_TYPE};
  }
  return (Reply){.status = status,
                 .type = JSON_TYPE,
                 .text = text.text,
                 .size = text.size};
}

/* One to eighteen digits at *at; moves *at behind them. */
static bool read_digits(const char **at, size_t *value) {
  const char *from = *at;
  *value = 0;
  while (**at >= '0' && **at <= '9' && *at - from < 18) {
    *value = *value * 10 + (size_t)(**at - '0');
    (*at)++;
  }
  return *at > from;
}

typedef enum RangeResult { RANGE_NONE, RANGE_PART, RANGE_BEYOND } RangeResult;

/* One range, "bytes=a-b", "bytes=a-" or "bytes=-n"; all else is ignored. */
static RangeResult read_range(const char *text, size_t size, size_t *offset,
                              size_t *length) {
  size_t first = 0, last = 0;
  if (!text || strncasecmp(text, "bytes=", 6) != 0)
    return RANGE_NONE;
  text += 6;
  bool has_first = read_digits(&text, &first);
  if (*text++ != '-')
    return RANGE_NONE;
  bool has_last = read_digits(&text, &last);
  if (*text != '\0' || (!has_first && !has_last) ||
      (has_first && has_last && last < first))
    return RANGE_NONE;
  if (!has_first) { /* the last n bytes */
    first = last < size ? size - last : 0;
    if (last == 0)
      return RANGE_BEYOND;
    has_last = false;
  }
  if (first >= size)
    return RANGE_BEYOND;
  last = has_last && last < size ? last : size - 1;
  *offset = first;
  *length = last - first + 1;
  return RANGE_PART;
}

static const char *header_of(struct MHD_Connection *connection,
                             const char *name) {
  return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

Reply reply_picture(struct MHD_Connection *connection, Picture *picture) {
  if (!picture)
    return reply_error(MHD_HTTP_INTERNAL_SERVER_ERROR, "out_of_memory");
  Reply reply = {.status = MHD_HTTP_OK,
                 .type = PNG_TYPE,
                 .picture = picture,
                 .size = picture->size};
  memcpy(reply.etag, picture->etag, sizeof reply.etag);
  const char *condition = header_of(connection, "If-Range");
  if (condition && strcmp(condition, picture->etag) != 0)
    return reply;
  switch (read_range(header_of(connection, "Range"), picture->size,
                     &reply.offset, &reply.size)) {
  case RANGE_PART:
    reply.status = MHD_HTTP_PARTIAL_CONTENT;
    snprintf(reply.range, sizeof reply.range, "bytes %zu-%zu/%zu", reply.offset,
             reply.offset + reply.size - 1, picture->size);
    break;
  case RANGE_BEYOND:
    reply.status = MHD_HTTP_RANGE_NOT_SATISFIABLE;
    snprintf(reply.range, sizeof reply.range, "bytes */%zu", picture->size);
    reply.size = 0;
    break;
  case RANGE_NONE:
    break;
  }
  return reply;
}

const char *reply_data(const Reply *reply) {
  const char *data =
      reply->picture ? (const char *)reply->picture->data : reply->text;
  return data ? data + reply->offset : NULL;
}

static void drop_content(Reply *reply) {
  free(reply->text);
  reply->text = NULL;
  picture_release(reply->picture);
  reply->picture = NULL;
  reply->offset = 0;
  reply->size = 0;
}

void reply_drop(Reply *reply) {
  drop_content(reply);
  free(reply->location);
  reply->location = NULL;
}

void reply_replace(Reply *reply, Reply other) {
  reply_drop(reply);
  *reply = other;
}

bool reply_set_text(Reply *reply, char *text, size_t size) {
  drop_content(reply);
  reply->text = text;
  reply->size = text ? size : 0;
  return text;
}

bool reply_copy_text(Reply *reply, const char *text, size_t size) {
  char *copy = malloc(size + 1);
  if (copy) {
    memcpy(copy, text, size);
    copy[size] = '\0';
  }
  return reply_set_text(reply, copy, size);
}

/* ---- headers ---- */

void reply_each_header(const Reply *reply, const Fault *fault,
                       ReplyHeader *each, void *to) {
  bool typed = false;
  for (size_t i = 0; fault && i < fault->header_count; i++) {
    const FaultHeader *header = &fault->headers[i];
    each(to, header->name, header->value);
    typed = typed || strcasecmp(header->name, "Content-Type") == 0;
  }
  if (reply->location)
    each(to, "Location", reply->location);
  if (!typed && reply->type)
    each(to, "Content-Type", reply->type);
  if (reply->encoding)
    each(to, "Content-Encoding", reply->encoding);
  if (reply->replayed)
    each(to, "Idempotent-Replayed", "true");
  if (reply->etag[0] != '\0') {
    each(to, "Accept-Ranges", "bytes");
    each(to, "ETag", reply->etag);
  }
  if (reply->range[0] != '\0')
    each(to, "Content-Range", reply->range);
}
