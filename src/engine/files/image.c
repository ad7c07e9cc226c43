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
};

#define FTYP_BRANDS 16 /* where the compatible ones begin, four bytes each */

static bool is_avif_brand(const char *brand) {
  return memcmp(brand, "avif", 4) == 0 || memcmp(brand, "avis", 4) == 0;
}

/* A file of ISO boxes begins with one that names its brands. */
static bool is_iso(const char *bytes, size_t length) {
  return length >= IMAGE_KIND && memcmp(bytes + 4, "ftyp", 4) == 0;
}

/* The length of the ftyp box that it begins with, as far as it is looked at; 0
 * when it begins with none. */
static size_t ftyp_length(const char *bytes, size_t length) {
  const unsigned char *at = (const unsigned char *)bytes;
  uint32_t size;
  if (!is_iso(bytes, length))
    return 0;
  size = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
         at[3];
  return size < IMAGE_HEAD ? size : IMAGE_HEAD;
}

/* By its major brand, or any of the compatible ones: many name mif1 first. */
static bool is_avif(const char *bytes, size_t length) {
  size_t size = ftyp_length(bytes, length);
  if (!is_iso(bytes, length))
    return false;
  if (is_avif_brand(bytes + 8))
    return true;
  if (length < size)
    size = length;
  for (size_t at = FTYP_BRANDS; at + 4 <= size; at += 4)
    if (is_avif_brand(bytes + at))
      return true;
  return false;
}

const char *image_extension(const void *head, size_t length) {
  const char *bytes = head;
  for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
    const Magic *magic = &magics[i];
    if (length >= magic->offset + magic->length &&
        memcmp(bytes + magic->offset, magic->bytes, magic->length) == 0 &&
        (!magic->start || memcmp(bytes, magic->start, 4) == 0))
      return magic->extension;
  }
  return is_avif(bytes, length) ? "avif" : NULL;
}

size_t image_head_length(const void *head) {
  size_t size = ftyp_length(head, IMAGE_KIND);
  bool more = size > IMAGE_KIND && !image_extension(head, IMAGE_KIND);
  return more ? size : IMAGE_KIND;
}
