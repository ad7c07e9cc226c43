/* Looking for an image's end: see image_walk.h. */
#include "image_walk.h"

#include <string.h>

#define KIND_BYTES 12 /* enough for every kind that is looked into */
#define PNG_END "IEND\xae\x42\x60\x82"
#define GIF_HEAD 13
#define GIF_IMAGE_HEAD 9

static size_t smaller(size_t one, uint64_t other) {
  return other < one ? (size_t)other : one;
}

/* Collects `wanted` bytes in `kept`; gives how many it took. */
static size_t keep(ImageWalk *walk, const unsigned char *bytes, size_t length,
                   size_t wanted) {
  size_t taken = smaller(length, wanted - walk->have);
  memcpy(walk->kept + walk->have, bytes, taken);
  walk->have += taken;
  return taken;
}

/* Whether so many are there; then the next are collected anew. */
static bool is_kept(ImageWalk *walk, size_t wanted) {
  if (walk->have < wanted)
    return false;
  walk->have = 0;
  return true;
}

/* ---- PNG: the mark of its last chunk.  Its first byte is in it only once. */

static size_t step_png(ImageWalk *walk, const unsigned char *bytes,
                       size_t length) {
  static const unsigned char mark[] = PNG_END;
  if (walk->matched == 0) {
    const unsigned char *found = memchr(bytes, mark[0], length);
    walk->matched = found ? 1 : 0;
    return found ? (size_t)(found - bytes) + 1 : length;
  }
  if (bytes[0] != mark[walk->matched]) {
    walk->matched = 0;
    return bytes[0] == mark[0] ? 0 : 1;
  }
  walk->over = ++walk->matched == sizeof mark - 1;
  return 1;
}

/* ---- JPEG: segments with their lengths (an image within is passed over), and
 * compressed data, in which FF stands before 00 or a restart marker only ----
 */

static ImageStep step_jpeg;

static size_t step_jpeg_length(ImageWalk *walk, const unsigned char *bytes,
                               size_t length) {
  size_t taken = keep(walk, bytes, length, 2);
  if (is_kept(walk, 2)) {
    unsigned size = (unsigned)walk->kept[0] << 8 | walk->kept[1];
    walk->skip = size > 2 ? size - 2 : 0;
    walk->step = step_jpeg;
  }
  return taken;
}

static size_t step_jpeg_marker(ImageWalk *walk, const unsigned char *bytes,
                               size_t length) {
  unsigned marker = bytes[0];
  (void)length;
  if (marker == 0xff) /* filled up */
    return 1;
  walk->over = marker == 0xd9;
  walk->step = marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd9)
                   ? step_jpeg
                   : step_jpeg_length;
  return 1;
}

static size_t step_jpeg(ImageWalk *walk, const unsigned char *bytes,
                        size_t length) {
  const unsigned char *found = memchr(bytes, 0xff, length);
  if (!found)
    return length;
  walk->step = step_jpeg_marker;
  return (size_t)(found - bytes) + 1;
}

/* ---- GIF: blocks ---- */

static ImageStep step_gif_block;

static uint64_t gif_colours(unsigned flags) {
  return flags & 0x80 ? (uint64_t)3 << ((flags & 7) + 1) : 0;
}

static size_t step_gif_part(ImageWalk *walk, const unsigned char *bytes,
                            size_t length) {
  (void)length;
  walk->skip = bytes[0];
  if (bytes[0] == 0)
    walk->step = step_gif_block;
  return 1;
}

static size_t step_gif_image(ImageWalk *walk, const unsigned char *bytes,
                             size_t length) {
  size_t taken = keep(walk, bytes, length, GIF_IMAGE_HEAD);
  if (is_kept(walk, GIF_IMAGE_HEAD)) {
    walk->skip = gif_colours(walk->kept[GIF_IMAGE_HEAD - 1]) + 1;
    walk->step = step_gif_part;
  }
  return taken;
}

static size_t step_gif_block(ImageWalk *walk, const unsigned char *bytes,
                             size_t length) {
  (void)length;
  if (bytes[0] == ';') {
    walk->over = true;
  } else if (bytes[0] == ',') {
    walk->step = step_gif_image;
  } else if (bytes[0] == '!') {
    walk->skip = 1; /* what it extends */
    walk->step = step_gif_part;
  }
  return 1;
}

static size_t step_gif(ImageWalk *walk, const unsigned char *bytes,
                       size_t length) {
  size_t taken = keep(walk, bytes, length, GIF_HEAD);
  if (is_kept(walk, GIF_HEAD)) {
    walk->skip = gif_colours(walk->kept[10]);
    walk->step = step_gif_block;
  }
  return taken;
}

/* ---- WebP: the length that stands at the front, and what is before it ---- */

static size_t step_webp(ImageWalk *walk, const unsigned char *bytes,
                        size_t length) {
  size_t taken = keep(walk, bytes, length, KIND_BYTES);
  const unsigned char *at = walk->kept + 4;
  if (walk->have == KIND_BYTES) {
    walk->skip = (uint64_t)at[0] | (uint64_t)at[1] << 8 |
                 (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24;
    walk->skip -= walk->skip < 4 ? walk->skip : 4;
    walk->over = true; /* then */
  }
  return taken;
}

/* ---- all of them ---- */

static size_t step_over(ImageWalk *walk, const unsigned char *bytes,
                        size_t length) {
  (void)bytes;
  walk->over = true;
  return length;
}

typedef struct Kind {
  const char *extension;
  ImageStep *step;
} Kind;

static ImageStep *step_of(const char *extension) {
  static const Kind kinds[] = {{"png", step_png},
                               {"jpg", step_jpeg},
                               {"gif", step_gif},
                               {"webp", step_webp}};
  for (size_t i = 0; extension && i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i].extension, extension) == 0)
      return kinds[i].step;
  return step_over;
}

static void go(ImageWalk *walk, const unsigned char *bytes, size_t length) {
  while (length > 0 && (walk->skip > 0 || !walk->over)) {
    size_t used = smaller(length, walk->skip);
    if (used > 0)
      walk->skip -= used;
    else
      used = walk->step(walk, bytes, length);
    bytes += used;
    length -= used;
  }
}

/* What was kept to know the kind is the beginning of what is walked over. */
static void begin(ImageWalk *walk) {
  unsigned char head[KIND_BYTES];
  memcpy(head, walk->kept, sizeof head);
  walk->step = step_of(image_extension(head, sizeof head));
  walk->have = 0;
  go(walk, head, sizeof head);
}

void image_walk(ImageWalk *walk, const char *bytes, size_t length) {
  const unsigned char *at = (const unsigned char *)bytes;
  if (!walk->step) {
    size_t taken = keep(walk, at, length, KIND_BYTES);
    at += taken;
    length -= taken;
    if (walk->have == KIND_BYTES)
      begin(walk);
  }
  if (walk->step)
    go(walk, at, length);
}

bool image_walk_is_over(const ImageWalk *walk) {
  if (!walk->step)
    return !image_extension(walk->kept, walk->have);
  return walk->over && walk->skip == 0;
}
