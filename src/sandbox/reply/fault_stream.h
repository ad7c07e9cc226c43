/*
 * What is written to a connection past the HTTP library: which bytes, how
 * fast, and how it ends. Pure.
 */
#ifndef GPTIMAGE2_SANDBOX_FAULT_STREAM_H
#define GPTIMAGE2_SANDBOX_FAULT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reply.h"
#include "sandbox/faults/fault.h"

enum { STREAM_PARTS = 4 };

/* Bytes, and how often they come. */
typedef struct StreamPart {
  const char *data;
  size_t size;
  uint64_t times; /* FAULT_ALWAYS: without an end */
} StreamPart;

typedef enum StreamEnd {
  END_CLOSE, /* in order */
  END_RESET,
  END_HANG /* the connection stays until the peer or the sandbox ends it */
} StreamEnd;

typedef struct FaultStream {
  StreamPart parts[STREAM_PARTS];
  char *head;     /* malloc'ed; a part of its own */
  uint64_t total; /* bytes to write; UINT64_MAX: without an end */
  uint64_t burst; /* of them at once */
  double rate;    /* bytes a second after those */
  StreamEnd end;
} FaultStream;

/*
 * Writes the script of `fault` for `reply`, both of which must outlive it.
 * `bare`: the answer has no body (to HEAD). False: no memory.
 */
bool fault_stream_make(FaultStream *stream, const Reply *reply,
                       const Fault *fault, bool bare);
void fault_stream_free(FaultStream *stream);

/* Copies up to `most` of the bytes from number `at` on; 0 at the end. */
size_t fault_stream_copy(const FaultStream *stream, uint64_t at, char *to,
                         size_t most);

/* How many bytes may have been written after so many seconds. */
uint64_t fault_stream_allowed(const FaultStream *stream, double seconds);

#endif
