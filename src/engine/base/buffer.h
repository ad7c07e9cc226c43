/*
 * A byte buffer that cannot exist without a maximum.
 *
 * The contents are always followed by a NUL that is not counted, so that
 * `data` can be printed.  Not locked: one thread at a time.
 */
#ifndef GPTIMAGE2_ENGINE_BUFFER_H
#define GPTIMAGE2_ENGINE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Buffer {
  char *data; /* NULL: it has no memory yet */
  size_t length;
  size_t capacity;
  size_t maximum;
} Buffer;

/* An empty buffer that will hold at most `maximum` bytes. */
void buffer_init(Buffer *buffer, size_t maximum);

/* Appends `length` bytes.  False, with the buffer unchanged, when they do not
 * fit under the maximum or memory runs out. */
bool buffer_append(Buffer *buffer, const void *bytes, size_t length);

/* Frees the contents, keeps the maximum. */
void buffer_free(Buffer *buffer);

/* Forgets the contents; their memory stays for the next ones, where it is no
 * more than `kept` bytes. */
void buffer_clear(Buffer *buffer, size_t kept);

/* Hands the bytes to the caller, who frees them, and leaves the buffer empty.
 * NULL when it is that already. */
char *buffer_detach(Buffer *buffer, size_t *length);

#endif
