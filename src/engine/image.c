/* What kind of image some bytes are: see image.h. */
#include "image.h"

#include <string.h>

typedef struct Magic {
  const char *extension;
  size_t offset;
  size_t length;
  const char *bytes;
  const char *start; /* four bytes that must come first, NULL = any */
} Magic;

static const Magic magics[] = {
    {"png", 0, 8, "\x89PNG\r\n\x1a\n", NULL},
    {"jpg", 0, 3, "\xff\xd8\xff", NULL},
    {"gif", 0, 6, "GIF87a", NULL},
    {"gif", 0, 6, "GIF89a", NULL},
    {"webp", 8, 4, "WEBP", "RIFF"},
    {"avif", 4, 8, "ftypavif", NULL},
    {"avif", 4, 8, "ftypavis", NULL},
};

const char *image_extension(const void *head, size_t length) {
  const char *bytes = head;
  for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
    const Magic *magic = &magics[i];
    if (length >= magic->offset + magic->length &&
        memcmp(bytes + magic->offset, magic->bytes, magic->length) == 0 &&
        (!magic->start || memcmp(bytes, magic->start, 4) == 0))
      return magic->extension;
  }
  return NULL;
}

/* Bytes of `wanted` within the last ones. */
static bool ends_with(const char *tail, size_t length, const char *wanted,
                      size_t size) {
  for (size_t i = 0; i + size <= length; i++)
    if (memcmp(tail + i, wanted, size) == 0)
      return true;
  return false;
}

/* The length that stands at the front, and what is in front of it. */
static int64_t riff_length(const char *head) {
  const unsigned char *at = (const unsigned char *)head + 4;
  return 8 + ((int64_t)at[0] | (int64_t)at[1] << 8 | (int64_t)at[2] << 16 |
              (int64_t)at[3] << 24);
}

bool image_is_whole(const char *head, const char *tail, size_t tail_length,
                    int64_t length) {
  size_t have = length < IMAGE_HEAD ? (size_t)length : IMAGE_HEAD;
  const char *kind = image_extension(head, have);
  if (!kind)
    return true;
  if (strcmp(kind, "png") == 0)
    return ends_with(tail, tail_length, "IEND\xae\x42\x60\x82", 8);
  if (strcmp(kind, "jpg") == 0)
    return ends_with(tail, tail_length, "\xff\xd9", 2);
  if (strcmp(kind, "gif") == 0)
    return ends_with(tail, tail_length, "\0;", 2);
  if (strcmp(kind, "webp") == 0)
    return length >= riff_length(head);
  return true;
}
