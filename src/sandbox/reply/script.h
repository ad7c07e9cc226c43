/*
 * What is written to a connection past the HTTP library: which bytes, how
 * fast, and how it ends. Pure.
 */
#ifndef GPTIMAGE2_SANDBOX_SCRIPT_H
#define GPTIMAGE2_SANDBOX_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reply.h"
#include "sandbox/faults/fault.h"

enum { SCRIPT_PARTS = 4 };

/* Bytes, and how often they come. */
typedef struct ScriptPart {
  const char *data;
  size_t size;
  uint64_t times; /* FAULT_ALWAYS: without an end */
} ScriptPart;

typedef enum ScriptEnd {
  END_CLOSE, /* in order */
  END_RESET,
  END_HANG /* the connection stays until the peer or the sandbox ends it */
} ScriptEnd;

typedef struct Script {
  ScriptPart parts[SCRIPT_PARTS];
  char *head;     /* malloc'ed; a part of its own */
  uint64_t total; /* bytes to write; UINT64_MAX: without an end */
  uint64_t burst; /* of them at once */
  double rate;    /* bytes a second after those */
  ScriptEnd end;
} Script;

/*
 * Writes the script of `fault` for `reply`, both of which must outlive it.
 * `bare`: the answer has no body (to HEAD). False: no memory.
 */
bool script_make(Script *script, const Reply *reply, const Fault *fault,
                 bool bare);
void script_free(Script *script);

/* Copies up to `most` of the bytes from number `at` on; 0 at the end. */
size_t script_copy(const Script *script, uint64_t at, char *to, size_t most);

/* How many bytes may have been written after so many seconds. */
uint64_t script_allowed(const Script *script, double seconds);

#endif
