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
