/*
 * What every fuzz target needs: its entry, a check that ends the process (which
 * is what libFuzzer calls a finding), and a reader that turns the input's bytes
 * into decisions.  One thread.
 */
#ifndef GPTIMAGE2_FUZZ_FUZZ_H
#define GPTIMAGE2_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Called by libFuzzer for each input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends with a message (as for printf) when `condition` is false. */
#define check(condition, ...)                                                  \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "FINDING: " __VA_ARGS__);                                \
      fputc('\n', stderr);                                                     \
      abort();                                                                 \
    }                                                                          \
  } while (0)

/* The rows of a table. */
#define COUNT(table) (sizeof(table) / sizeof *(table))

typedef struct Input {
  const uint8_t *at;
  const uint8_t *end;
} Input;

/* The next byte, or 0 when there are no more. */
static inline unsigned input_byte(Input *input) {
  return input->at < input->end ? *input->at++ : 0;
}

/* A number in [0, 1) in steps of 1/256. */
static inline double input_unit(Input *input) {
  return input_byte(input) / 256.0;
}

/* A copy of the bytes up to the next `stop`, or the rest, in memory of exactly
 * that size (and a NUL that is not counted where `closed`), so that reading a
 * byte too many is seen.  To be freed. */
static inline char *input_text(Input *input, char stop, bool closed,
                               size_t *length) {
  size_t left = (size_t)(input->end - input->at);
  const uint8_t *found = left ? memchr(input->at, stop, left) : NULL;
  size_t size = found ? (size_t)(found - input->at) : left;
  char *text = malloc(size + closed > 0 ? size + closed : 1);
  if (!text)
    abort();
  if (size)
    memcpy(text, input->at, size);
  if (closed)
    text[size] = '\0';
  input->at += found ? size + 1 : size;
  *length = size;
  return text;
}

#endif
