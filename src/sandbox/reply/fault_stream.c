/*
 * What is written to a connection past the HTTP library. Owns the head of the
 * answer; all else is the reply's, the fault's, or constant. Pure.
 */
#include "fault_stream.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t INFORMATIONAL_DEFAULT = 1000;
static const char FILLER_HEADER[] =
    "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
static const char FILLER_CHUNK[] = "20\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
static const char LAST_CHUNK[] = "0\r\n\r\n";
static const char HEAD_END[] = "\r\n";

/* ---- the head of an answer ---- */

enum { HEAD_FIRST = 1024, HEAD_MAX = 1024 * 1024 };

typedef struct Head {
  char *text;
  size_t size, room;
  bool failed; /* no memory, or above HEAD_MAX */
} Head;

__attribute__((format(printf, 2, 3))) static void add(Head *head,
                                                      const char *format, ...) {
  for (;;) {
    size_t left = head->room - head->size;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(head->text ? head->text + head->size : NULL, left,
                         format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size < left) {
      head->size += (size_t)size;
      return;
    }
    size_t room = head->room == 0 ? HEAD_FIRST : head->room * 2;
    char *text = head->failed || size < 0 || room > HEAD_MAX
                     ? NULL
                     : realloc(head->text, room);
    if (!text) {
      head->failed = true;
      return;
    }
    head->text = text;
    head->room = room;
  }
}

static void add_header(void *to, const char *name, const char *value) {
  add(to, "%s: %s\r\n", name, value);
}

static void add_length(Head *head, const Reply *reply, const Fault *fault) {
  if (fault->action == FAULT_ENDLESS_CHUNKS) {
    add_header(head, "Transfer-Encoding", "chunked");
  } else if (fault->action != FAULT_LENGTH) {
    add(head, "Content-Length: %zu\r\n", reply->size);
  } else if (fault->line) {
    add_header(head, "Content-Length", fault->line);
  } else {
    int64_t size = (int64_t)reply->size + fault->add;
    add(head, "Content-Length: %" PRId64 "\r\n", size > 0 ? size : 0);
  }
}

/* Status line and headers without the empty line. NULL: no memory. */
static char *make_head(const Reply *reply, const Fault *fault, size_t *size) {
  Head head = {0};
  const char *reason = MHD_get_reason_phrase_for(reply->status);
  add(&head, "HTTP/1.1 %u %s\r\n", reply->status, reason);
  /* A wrong length is nastier where the connection seems to go on. */
  if (fault->action != FAULT_LENGTH)
    add_header(&head, "Connection", "close");
  add_length(&head, reply, fault);
  reply_each_header(reply, fault, add_header, &head);
  *size = head.size;
  if (head.failed) {
    free(head.text);
    return NULL;
  }
  return head.text;
}

/* ---- the script ---- */

static uint64_t sum(uint64_t a, uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t part_size(const StreamPart *part) {
  uint64_t size = part->size;
  return size > 0 && part->times > UINT64_MAX / size ? UINT64_MAX
                                                     : size * part->times;
}

static void add_part(FaultStream *stream, const char *data, size_t size,
                     uint64_t times) {
  size_t i = 0;
  while (stream->parts[i].size > 0)
    i++;
  stream->parts[i] = (StreamPart){data, size, times};
  stream->total = sum(stream->total, part_size(&stream->parts[i]));
}

/* How often a filler comes for that many bytes; not given: for ever. */
static uint64_t fillings(const Fault *fault, size_t size) {
  return fault->bytes == FAULT_NO_BYTES ? FAULT_ALWAYS : fault->bytes / size;
}

static void add_informational(FaultStream *stream, const Fault *fault) {
  const char *answer = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
  if (fault->status == 100)
    answer = "HTTP/1.1 100 Continue\r\n\r\n";
  else if (fault->status == 102)
    answer = "HTTP/1.1 102 Processing\r\n\r\n";
  add_part(stream, answer, strlen(answer),
           fault->count > 0 ? fault->count : INFORMATIONAL_DEFAULT);
}

static void add_parts(FaultStream *stream, const Reply *reply,
                      const Fault *fault, size_t head_size, bool bare) {
  if (fault->action == FAULT_INFORMATIONAL)
    add_informational(stream, fault);
  add_part(stream, stream->head, head_size, 1);
  if (fault->action == FAULT_ENDLESS_HEADERS) {
    size_t size = sizeof FILLER_HEADER - 1;
    add_part(stream, FILLER_HEADER, size, fillings(fault, size));
  }
  add_part(stream, HEAD_END, sizeof HEAD_END - 1, 1);
  stream->burst = stream->total;
  if (bare)
    return;
  if (fault->action == FAULT_ENDLESS_CHUNKS) {
    size_t size = sizeof FILLER_CHUNK - 1;
    add_part(stream, FILLER_CHUNK, size, fillings(fault, size));
    add_part(stream, LAST_CHUNK, sizeof LAST_CHUNK - 1, 1);
  } else {
    add_part(stream, reply_data(reply), reply->size, 1);
  }
}

static void set_limits(FaultStream *stream, const Fault *fault) {
  uint64_t bytes = fault->bytes == FAULT_NO_BYTES ? 0 : fault->bytes;
  uint64_t from = fault->head ? 0 : stream->burst;
  uint64_t most = UINT64_MAX;
  switch (fault->action) {
  case FAULT_STALL:
    most = sum(from, bytes);
    stream->end = END_HANG;
    break;
  case FAULT_CUT:
    most = bytes;
    stream->end = fault->reset ? END_RESET : END_CLOSE;
    break;
  case FAULT_DRIP:
    stream->burst = from;
    stream->rate = (double)bytes;
    return;
  default:
    break;
  }
  stream->total = stream->total < most ? stream->total : most;
  stream->burst = UINT64_MAX;
}

bool fault_stream_make(FaultStream *stream, const Reply *reply,
                       const Fault *fault, bool bare) {
  *stream = (FaultStream){.end = END_CLOSE};
  if (fault->action == FAULT_RAW) {
    add_part(stream, fault->body, fault->body_size, 1);
    stream->burst = UINT64_MAX;
    return true;
  }
  size_t size = 0;
  stream->head = make_head(reply, fault, &size);
  if (!stream->head)
    return false;
  add_parts(stream, reply, fault, size, bare);
  set_limits(stream, fault);
  return true;
}

void fault_stream_free(FaultStream *stream) {
  free(stream->head);
  *stream = (FaultStream){0};
}

/* ---- its bytes ---- */

/* Copies from byte `at` of a part on. */
static size_t copy_part(const StreamPart *part, uint64_t at, char *to,
                        size_t most) {
  uint64_t left = part_size(part) - at;
  size_t wanted = left < most ? (size_t)left : most, copied = 0;
  while (copied < wanted) {
    size_t from = (size_t)((at + copied) % part->size);
    size_t size = part->size - from;
    size = size < wanted - copied ? size : wanted - copied;
    memcpy(to + copied, part->data + from, size);
    copied += size;
  }
  return copied;
}

size_t fault_stream_copy(const FaultStream *stream, uint64_t at, char *to,
                         size_t most) {
  uint64_t left = at < stream->total ? stream->total - at : 0;
  size_t wanted = left < most ? (size_t)left : most, copied = 0;
  uint64_t start = 0; /* of the part */
  for (size_t i = 0; i < STREAM_PARTS && copied < wanted; i++) {
    uint64_t end = sum(start, part_size(&stream->parts[i]));
    if (at + copied < end) {
      copied += copy_part(&stream->parts[i], at + copied - start, to + copied,
                          wanted - copied);
    }
    start = end;
  }
  return copied;
}

uint64_t fault_stream_allowed(const FaultStream *stream, double seconds) {
  double more = fmin(stream->rate * seconds, 1e15);
  uint64_t allowed = sum(stream->burst, (uint64_t)more);
  return allowed < stream->total ? allowed : stream->total;
}
