/*
 * One answer, and how a fault spoils it. What is sent is never copied: texts
 * and pictures are handed to MHD together with the duty to free them. Runs on
 * the server's thread.
 */
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire.h"

static const size_t OVERSIZE_DEFAULT = 2u << 20;
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
  if (text == NULL || strncasecmp(text, "bytes=", 6) != 0) {
    return RANGE_NONE;
  }
  text += 6;
  bool has_first = read_digits(&text, &first);
  if (*text++ != '-') {
    return RANGE_NONE;
  }
  bool has_last = read_digits(&text, &last);
  if (*text != '\0' || (!has_first && !has_last) ||
      (has_first && has_last && last < first)) {
    return RANGE_NONE;
  }
  if (!has_first) { /* the last n bytes */
    first = last < size ? size - last : 0;
    if (last == 0) {
      return RANGE_BEYOND;
    }
    has_last = false;
  }
  if (first >= size) {
    return RANGE_BEYOND;
  }
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
  if (picture == NULL) {
    return reply_error(MHD_HTTP_INTERNAL_SERVER_ERROR, "out_of_memory");
  }
  Reply reply = {.status = MHD_HTTP_OK,
                 .type = PNG_TYPE,
                 .picture = picture,
                 .size = picture->size};
  const char *condition = header_of(connection, "If-Range");
  if (condition != NULL && strcmp(condition, picture->etag) != 0) {
    return reply;
  }
  switch (read_range(header_of(connection, "Range"), picture->size,
                     &reply.offset, &reply.size)) {
  case RANGE_PART:
    reply.status = MHD_HTTP_PARTIAL_CONTENT;
    break;
  case RANGE_BEYOND:
    reply.status = MHD_HTTP_RANGE_NOT_SATISFIABLE;
    reply.size = 0;
    break;
  case RANGE_NONE:
    break;
  }
  return reply;
}

void reply_drop(Reply *reply) {
  free(reply->text);
  reply->text = NULL;
  picture_release(reply->picture);
  reply->picture = NULL;
}

/* ---- bodies as MHD responses ---- */

static void release_picture(void *picture) {
  picture_release(picture);
}

static const char *reply_data(const Reply *reply) {
  const char *data =
      reply->picture != NULL ? (const char *)reply->picture->data : reply->text;
  return data == NULL ? NULL : data + reply->offset;
}

/* Takes text and picture over from the reply. */
static struct MHD_Response *whole_body(Reply *reply) {
  struct MHD_Response *response;
  void *data = (void *)(uintptr_t)reply_data(reply);
  if (reply->picture != NULL) {
    response = MHD_create_response_from_buffer_with_free_callback_cls(
        reply->size, data, release_picture, reply->picture);
    reply->picture = response == NULL ? reply->picture : NULL;
  } else {
    response = MHD_create_response_from_buffer(reply->size, data,
                                               MHD_RESPMEM_MUST_FREE);
    reply->text = response == NULL ? reply->text : NULL;
  }
  return response;
}

static struct MHD_Response *constant_body(const char *body, size_t size) {
  return MHD_create_response_from_buffer(size, (void *)(uintptr_t)body,
                                         MHD_RESPMEM_MUST_COPY);
}

/* A body that ends early, or one made up as it is sent. */
typedef struct Stream {
  Reply reply; /* what is cut; nothing when made up */
  size_t end;  /* bytes to send */
  const char *head, *tail;
} Stream;

static void free_stream(void *cls) {
  Stream *stream = cls;
  reply_drop(&stream->reply);
  free(stream);
}

static ssize_t read_cut(void *cls, uint64_t at, char *to, size_t most) {
  const Stream *stream = cls;
  if (at >= stream->end) {
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }
  size_t left = stream->end - (size_t)at;
  size_t size = left < most ? left : most;
  memcpy(to, reply_data(&stream->reply) + at, size);
  return (ssize_t)size;
}

static ssize_t read_made_up(void *cls, uint64_t at, char *to, size_t most) {
  const Stream *stream = cls;
  size_t head = strlen(stream->head), tail = strlen(stream->tail);
  if (at >= stream->end) {
    return MHD_CONTENT_READER_END_OF_STREAM;
  }
  size_t from = (size_t)at, left = stream->end - from;
  size_t size = left < most ? left : most;
  bool framed = stream->end >= head + tail;
  for (size_t i = 0; i < size; i++) {
    size_t n = from + i, to_end = stream->end - n;
    to[i] = 'a';
    if (framed && n < head) {
      to[i] = stream->head[n];
    } else if (framed && to_end <= tail) {
      to[i] = stream->tail[tail - to_end];
    }
  }
  return (ssize_t)size;
}

static struct MHD_Response *cut_body(Reply *reply, size_t bytes) {
  if (bytes >= reply->size) {
    return whole_body(reply);
  }
  Stream *stream = calloc(1, sizeof *stream);
  if (stream == NULL) {
    return NULL;
  }
  stream->reply = *reply;
  stream->end = bytes;
  size_t size = reply->size;
  reply->text = NULL;
  reply->picture = NULL;
  return MHD_create_response_from_callback(size, 32 * 1024, read_cut, stream,
                                           free_stream);
}

static struct MHD_Response *huge_body(const Reply *reply, const Fault *fault) {
  Stream *stream = calloc(1, sizeof *stream);
  if (stream == NULL) {
    return NULL;
  }
  bool image = reply->picture != NULL;
  stream->head = image ? "\x89PNG\r\n\x1a\n" : "{\"padding\":\"";
  stream->tail = image ? "" : "\"}";
  stream->end = fault->bytes > 0 ? fault->bytes : OVERSIZE_DEFAULT;
  uint64_t size = fault->chunked ? MHD_SIZE_UNKNOWN : stream->end;
  return MHD_create_response_from_callback(size, 32 * 1024, read_made_up,
                                           stream, free_stream);
}

/* Puts another answer in the place of this one. */
static void replace(Reply *reply, Reply other) {
  reply_drop(reply);
  reply->status = other.status;
  reply->type = other.type;
  reply->text = other.text;
  reply->offset = 0;
  reply->size = other.size;
}

static const char *status_code(unsigned status) {
  switch (status) {
  case 400:
    return "bad_request";
  case 401:
    return "unauthorized";
  case 402:
    return "insufficient_credits";
  case 403:
    return "forbidden";
  case 404:
    return "not_found";
  case 408:
    return "request_timeout";
  case 409:
    return "conflict";
  case 410:
    return "gone";
  case 425:
    return "too_early";
  case 429:
    return "rate_limited";
  case 500:
    return "internal_error";
  case 502:
    return "bad_gateway";
  case 503:
    return "service_unavailable";
  case 504:
    return "gateway_timeout";
  default:
    return "sandbox_fault";
  }
}

static struct MHD_Response *status_body(Reply *reply, const Fault *fault) {
  bool silent = fault->status == 204 || fault->status == 304;
  replace(reply, reply_error(fault->status, status_code(fault->status)));
  if (silent && fault->body == NULL) {
    return constant_body("", 0);
  }
  return fault->body != NULL ? constant_body(fault->body, fault->body_size)
                             : whole_body(reply);
}

/* Sets the reply's status where the fault has one of its own. */
static struct MHD_Response *make_body(Reply *reply, const Fault *fault) {
  if (fault == NULL) {
    return whole_body(reply);
  }
  switch (fault->action) {
  case FAULT_STATUS:
    return status_body(reply, fault);
  case FAULT_REDIRECT:
    replace(reply, (Reply){.status = fault->status, .type = JSON_TYPE});
    return constant_body("{\"error\":\"redirected\"}", 22);
  case FAULT_BODY:
    return constant_body(fault->body, fault->body_size);
  case FAULT_MALFORMED:
    return constant_body("{\"jobId\": \"8b93b17d\", \"status\": ", 33);
  case FAULT_TRUNCATE:
    return cut_body(reply, fault->bytes);
  case FAULT_OVERSIZE:
    return huge_body(reply, fault);
  default: /* late, but right */
    return whole_body(reply);
  }
}

/* ---- headers ---- */

static void add_range_headers(struct MHD_Response *response,
                              const Picture *picture, const Reply *reply) {
  char range[80];
  MHD_add_response_header(response, "Accept-Ranges", "bytes");
  MHD_add_response_header(response, "ETag", picture->etag);
  if (reply->status == MHD_HTTP_PARTIAL_CONTENT) {
    snprintf(range, sizeof range, "bytes %zu-%zu/%zu", reply->offset,
             reply->offset + reply->size - 1, picture->size);
    MHD_add_response_header(response, "Content-Range", range);
  } else if (reply->status == MHD_HTTP_RANGE_NOT_SATISFIABLE) {
    snprintf(range, sizeof range, "bytes */%zu", picture->size);
    MHD_add_response_header(response, "Content-Range", range);
  }
}

static void add_fault_headers(struct MHD_Response *response, const Fault *fault,
                              bool *typed) {
  for (size_t i = 0; i < fault->header_count; i++) {
    const FaultHeader *header = &fault->headers[i];
    MHD_add_response_header(response, header->name, header->value);
    *typed = *typed || strcasecmp(header->name, "Content-Type") == 0;
  }
  if (fault->action == FAULT_REDIRECT) {
    MHD_add_response_header(response, "Location", fault->location);
  }
}

static void add_headers(struct MHD_Response *response, const Reply *reply,
                        const Fault *fault) {
  bool typed = false;
  if (fault != NULL) {
    add_fault_headers(response, fault, &typed);
  }
  if (!typed && reply->type != NULL) {
    MHD_add_response_header(response, "Content-Type", reply->type);
  }
  if (reply->replayed) {
    MHD_add_response_header(response, "Idempotent-Replayed", "true");
  }
}

enum MHD_Result reply_queue(Reply *reply, struct MHD_Connection *connection,
                            const Fault *fault, unsigned *status) {
  if (reply_data(reply) == NULL) {
    replace(reply, reply_error(MHD_HTTP_INTERNAL_SERVER_ERROR,
                               "out_of_memory")); /* there was none for it */
  }
  /* What the headers say must outlive the body that MHD takes over. */
  Picture *picture = reply->picture;
  if (picture != NULL) {
    picture->references++;
  }
  enum MHD_Result queued = MHD_NO;
  struct MHD_Response *response = make_body(reply, fault);
  if (response != NULL) {
    *status = reply->status;
    add_headers(response, reply, fault);
    if (picture != NULL && reply->type == PNG_TYPE) {
      add_range_headers(response, picture, reply);
    }
    queued = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
  }
  picture_release(picture);
  reply_drop(reply);
  return queued;
}
