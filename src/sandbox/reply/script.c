/*
 * What is written to a connection past the HTTP library. Owns the head of the
 * answer; all else is the reply's, the fault's, or constant. Pure.
 */
#include "script.h"

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

static uint64_t part_size(const ScriptPart *part) {
  uint64_t size = part->size;
  return size > 0 && part->times > UINT64_MAX / size ? UINT64_MAX
                                                     : size * part->times;
}

static void add_part(Script *script, const char *data, size_t size,
                     uint64_t times) {
  size_t i = 0;
  while (script->parts[i].size > 0)
    i++;
  script->parts[i] = (ScriptPart){data, size, times};
  script->total = sum(script->total, part_size(&script->parts[i]));
}

/* How often a filler comes for that many bytes; not given: for ever. */
static uint64_t fillings(const Fault *fault, size_t size) {
  return fault->bytes == FAULT_NO_BYTES ? FAULT_ALWAYS : fault->bytes / size;
}

static void add_informational(Script *script, const Fault *fault) {
  const char *answer = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
  if (fault->status == 100)
    answer = "HTTP/1.1 100 Continue\r\n\r\n";
  else if (fault->status == 102)
    answer = "HTTP/1.1 102 Processing\r\n\r\n";
  add_part(script, answer, strlen(answer),
           fault->count > 0 ? fault->count : INFORMATIONAL_DEFAULT);
}

static void add_parts(Script *script, const Reply *reply, const Fault *fault,
                      size_t head_size, bool bare) {
  if (fault->action == FAULT_INFORMATIONAL)
    add_informational(script, fault);
  add_part(script, script->head, head_size, 1);
  if (fault->action == FAULT_ENDLESS_HEADERS) {
    size_t size = sizeof FILLER_HEADER - 1;
    add_part(script, FILLER_HEADER, size, fillings(fault, size));
  }
  add_part(script, HEAD_END, sizeof HEAD_END - 1, 1);
  script->burst = script->total;
  if (bare)
    return;
  if (fault->action == FAULT_ENDLESS_CHUNKS) {
    size_t size = sizeof FILLER_CHUNK - 1;
    add_part(script, FILLER_CHUNK, size, fillings(fault, size));
    add_part(script, LAST_CHUNK, sizeof LAST_CHUNK - 1, 1);
  } else {
    add_part(script, reply_data(reply), reply->size, 1);
  }
}

static void set_limits(Script *script, const Fault *fault) {
  uint64_t bytes = fault->bytes == FAULT_NO_BYTES ? 0 : fault->bytes;
  uint64_t from = fault->head ? 0 : script->burst;
  uint64_t most = UINT64_MAX;
  switch (fault->action) {
  case FAULT_STALL:
    most = sum(from, bytes);
    script->end = END_HANG;
    break;
  case FAULT_CUT:
    most = bytes;
    script->end = fault->reset ? END_RESET : END_CLOSE;
    break;
  case FAULT_DRIP:
    script->burst = from;
    script->rate = (double)bytes;
    return;
  default:
    break;
  }
  script->total = script->total < most ? script->total : most;
  script->burst = UINT64_MAX;
}

bool script_make(Script *script, const Reply *reply, const Fault *fault,
                 bool bare) {
  *script = (Script){.end = END_CLOSE};
  if (fault->action == FAULT_RAW) {
    add_part(script, fault->body, fault->body_size, 1);
    script->burst = UINT64_MAX;
    return true;
  }
  size_t size = 0;
  script->head = make_head(reply, fault, &size);
  if (!script->head)
    return false;
  add_parts(script, reply, fault, size, bare);
  set_limits(script, fault);
  return true;
}

void script_free(Script *script) {
  free(script->head);
  *script = (Script){0};
}

/* ---- its bytes ---- */

/* Copies from byte `at` of a part on. */
static size_t copy_part(const ScriptPart *part, uint64_t at, char *to,
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

size_t script_copy(const Script *script, uint64_t at, char *to, size_t most) {
  uint64_t left = at < script->total ? script->total - at : 0;
  size_t wanted = left < most ? (size_t)left : most, copied = 0;
  uint64_t start = 0; /* of the part */
  for (size_t i = 0; i < SCRIPT_PARTS && copied < wanted; i++) {
    uint64_t end = sum(start, part_size(&script->parts[i]));
    if (at + copied < end) {
      copied += copy_part(&script->parts[i], at + copied - start, to + copied,
                          wanted - copied);
    }
    start = end;
  }
  return copied;
}

uint64_t script_allowed(const Script *script, double seconds) {
  double more = fmin(script->rate * seconds, 1e15);
  uint64_t allowed = sum(script->burst, (uint64_t)more);
  return allowed < script->total ? allowed : script->total;
}
