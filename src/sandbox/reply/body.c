/*
 * Answers on their way into MHD. What is sent is never copied: texts and
 * pictures are handed over together with the duty to free them. Runs on the
 * server's thread.
 */
#include "body.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const size_t OVERSIZE_DEFAULT = 2u << 20;

static void release_picture(void *picture) {
  picture_release(picture);
}

/* Takes text and picture over from the reply. */
static struct MHD_Response *whole_body(Reply *reply) {
  struct MHD_Response *response;
  void *data = (void *)(uintptr_t)reply_data(reply);
  if (reply->picture) {
    response = MHD_create_response_from_buffer_with_free_callback_cls(
        reply->size, data, release_picture, reply->picture);
    reply->picture = response ? NULL : reply->picture;
  } else {
    response = MHD_create_response_from_buffer(reply->size, data,
                                               MHD_RESPMEM_MUST_FREE);
    reply->text = response ? NULL : reply->text;
  }
  return response;
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
  if (at >= stream->end)
    return MHD_CONTENT_READER_END_WITH_ERROR;
  size_t left = stream->end - (size_t)at;
  size_t size = left < most ? left : most;
  memcpy(to, reply_data(&stream->reply) + at, size);
  return (ssize_t)size;
}

static ssize_t read_made_up(void *cls, uint64_t at, char *to, size_t most) {
  const Stream *stream = cls;
  size_t head = strlen(stream->head), tail = strlen(stream->tail);
  if (at >= stream->end)
    return MHD_CONTENT_READER_END_OF_STREAM;
  size_t from = (size_t)at, left = stream->end - from;
  size_t size = left < most ? left : most;
  bool framed = stream->end >= head + tail;
  for (size_t i = 0; i < size; i++) {
    size_t n = from + i, to_end = stream->end - n;
    to[i] = 'a';
    if (framed && n < head)
      to[i] = stream->head[n];
    else if (framed && to_end <= tail)
      to[i] = stream->tail[tail - to_end];
  }
  return (ssize_t)size;
}

static struct MHD_Response *cut_body(Reply *reply, size_t bytes) {
  if (bytes >= reply->size)
    return whole_body(reply);
  Stream *stream = calloc(1, sizeof *stream);
  if (!stream)
    return NULL;
  stream->reply = *reply;
  stream->reply.location = NULL; /* the reply keeps that */
  stream->end = bytes;
  size_t size = reply->size;
  reply->text = NULL;
  reply->picture = NULL;
  return MHD_create_response_from_callback(size, 32 * 1024, read_cut, stream,
                                           free_stream);
}

static struct MHD_Response *huge_body(const Reply *reply, const Fault *fault) {
  Stream *stream = calloc(1, sizeof *stream);
  if (!stream)
    return NULL;
  bool image = reply->picture;
  stream->head = image ? "\x89PNG\r\n\x1a\n" : "{\"padding\":\"";
  stream->tail = image ? "" : "\"}";
  stream->end = OVERSIZE_DEFAULT;
  if (fault->bytes > 0 && fault->bytes != FAULT_NO_BYTES)
    stream->end = fault->bytes;
  uint64_t size = fault->chunked ? MHD_SIZE_UNKNOWN : stream->end;
  return MHD_create_response_from_callback(size, 32 * 1024, read_made_up,
                                           stream, free_stream);
}

static struct MHD_Response *make_body(Reply *reply, const Fault *fault) {
  if (fault && fault->action == FAULT_TRUNCATE)
    return cut_body(reply, fault->bytes);
  if (fault && fault->action == FAULT_OVERSIZE)
    return huge_body(reply, fault);
  return whole_body(reply);
}

static void add_header(void *to, const char *name, const char *value) {
  MHD_add_response_header(to, name, value);
}

enum MHD_Result body_queue(Reply *reply, struct MHD_Connection *connection,
                           const Fault *fault) {
  enum MHD_Result queued = MHD_NO;
  struct MHD_Response *response = make_body(reply, fault);
  if (response) {
    reply_each_header(reply, fault, add_header, response);
    queued = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
  }
  reply_drop(reply);
  return queued;
}
