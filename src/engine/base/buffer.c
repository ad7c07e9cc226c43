/* A byte buffer that cannot exist without a maximum: see buffer.h. */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

void buffer_init(Buffer *buffer, size_t maximum) {
  *buffer = (Buffer){.maximum = maximum};
}

/* Room for `needed` bytes and the closing NUL; doubles to stay linear. */
static bool reserve(Buffer *buffer, size_t needed) {
  size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
  char *data;
  if (needed < buffer->capacity)
    return true;
  while (capacity <= needed)
    capacity *= 2;
  data = realloc(buffer->data, capacity);
  if (!data)
    return false;
  buffer->data = data;
  buffer->capacity = capacity;
  return true;
}

bool buffer_append(Buffer *buffer, const void *bytes, size_t length) {
  if (length > buffer->maximum - buffer->length)
    return false;
  if (!reserve(buffer, buffer->length + length))
    return false;
  if (length > 0)
    memcpy(buffer->data + buffer->length, bytes, length);
  buffer->length += length;
  buffer->data[buffer->length] = '\0';
  return true;
}

void buffer_free(Buffer *buffer) {
  free(buffer->data);
  buffer_init(buffer, buffer->maximum);
}

void buffer_clear(Buffer *buffer, size_t kept) {
  if (buffer->capacity > kept)
    buffer_free(buffer);
  buffer->length = 0;
}

char *buffer_detach(Buffer *buffer, size_t *length) {
  char *data = buffer->data;
  *length = buffer->length;
  if (buffer->length == 0) /* what memory it has is for later */
    return NULL;
  buffer_init(buffer, buffer->maximum);
  return data;
}
