/* Looking for an image's end: see image_walk.h. */
#include "image_walk.h"

#include <string.h>

#define PNG_MAGIC 8
#define PNG_CHUNK_HEAD 8
#define PNG_CHUNK_MAX 0x7fffffff /* bytes of its data */
#define PNG_CRC 4
#define GIF_HEAD 13
#define GIF_IMAGE_HEAD 9
#define BOX_HEAD 8
#define LARGE_BOX_HEAD 16
#define FULL_BOX 4 /* version and flags, which a meta box has */

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

/* A number of so many bytes, the highest first. */
static uint64_t number(const unsigned char *bytes, size_t length) {
  uint64_t value = 0;
  for (size_t i = 0; i < length; i++)
    value = value << 8 | bytes[i];
  return value;
}

/* Nothing more is looked for: it is over, or its end cannot be known. */
static size_t step_rest(ImageWalk *walk, const unsigned char *bytes,
                        size_t length) {
  (void)walk;
  (void)bytes;
  return length;
}

/* ---- PNG: chunks, of which the last is an empty IEND ---- */

static size_t step_png_end(ImageWalk *walk, const unsigned char *bytes,
                           size_t length) {
  size_t taken = keep(walk, bytes, length, PNG_CRC);
  if (is_kept(walk, PNG_CRC)) {
    walk->over = memcmp(walk->kept, "\xae\x42\x60\x82", PNG_CRC) == 0;
    walk->step = step_rest;
  }
  return taken;
}

static size_t step_png_chunk(ImageWalk *walk, const unsigned char *bytes,
                             size_t length) {
  size_t taken = keep(walk, bytes, length, PNG_CHUNK_HEAD);
  if (is_kept(walk, PNG_CHUNK_HEAD)) {
    uint64_t size = number(walk->kept, 4);
    if (size > PNG_CHUNK_MAX)
      walk->step = step_rest;
    else if (size == 0 && memcmp(walk->kept + 4, "IEND", 4) == 0)
      walk->step = step_png_end;
    else
      walk->skip = size + PNG_CRC;
  }
  return taken;
}

static size_t step_png(ImageWalk *walk, const unsigned char *bytes,
                       size_t length) {
  (void)bytes;
  (void)length;
  walk->skip = PNG_MAGIC;
  walk->step = step_png_chunk;
  return 0;
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
  size_t taken = keep(walk, bytes, length, IMAGE_KIND);
  const unsigned char *at = walk->kept + 4;
  if (walk->have == IMAGE_KIND) {
    walk->skip = (uint64_t)at[0] | (uint64_t)at[1] << 8 |
                 (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24;
    walk->skip -= walk->skip < 4 ? walk->skip : 4;
    walk->over = true; /* then */
  }
  return taken;
}

/* ---- AVIF: boxes, each with its length (ISO 14496-12) ---- */

static bool is_type(const ImageWalk *walk, const char *type) {
  return memcmp(walk->kept + 4, type, 4) == 0;
}

/* Whether a box can begin so, rather than what a host puts behind a file. */
static bool is_box(const ImageWalk *walk, uint64_t size, size_t head) {
  for (size_t i = 4; i < BOX_HEAD; i++)
    if (walk->kept[i] < ' ' || walk->kept[i] > '~')
      return false;
  return size >= head + (is_type(walk, "meta") ? FULL_BOX : 0);
}

static bool has_all(const ImageWalk *walk) {
  return walk->described && walk->with_data;
}

static void mark_box(ImageWalk *walk) {
  if (is_type(walk, "meta") || is_type(walk, "moov"))
    walk->described = true;
  if (is_type(walk, "mdat"))
    walk->with_data = true;
}

/* Passes over so much; then come so many bytes of the meta box, which are
 * looked into when there is room for a box. */
static void pass(ImageWalk *walk, uint64_t skip, uint64_t inside) {
  walk->skip = inside < BOX_HEAD ? skip + inside : skip;
  walk->inside = inside < BOX_HEAD ? 0 : inside;
}

/* The meta box is gone into, for it may have the data itself: in an idat. */
static void pass_box(ImageWalk *walk, uint64_t size) {
  mark_box(walk);
  if (is_type(walk, "meta"))
    pass(walk, FULL_BOX, size - FULL_BOX);
  else
    pass(walk, size, 0);
}

/* A box within the meta box; what does not fit is passed over with the rest. */
static void pass_inner_box(ImageWalk *walk, uint64_t size, size_t head) {
  if (size < head || size > walk->inside)
    size = walk->inside;
  pass(walk, size > head ? size - head : 0, walk->inside - size);
  if (is_type(walk, "idat"))
    walk->with_data = true;
}

static ImageStep step_box;

/* The head of a box is there.  One of no length goes to the end of the file,
 * wherever that is. */
static void begin_box(ImageWalk *walk, uint64_t size, size_t head) {
  walk->have = 0;
  walk->step = step_box;
  if (walk->inside > 0) {
    pass_inner_box(walk, size, head);
  } else if (is_box(walk, size, head)) {
    pass_box(walk, size - head);
  } else {
    if (size == 0)
      mark_box(walk);
    walk->over = has_all(walk);
    walk->step = step_rest;
  }
}

static size_t step_large_box(ImageWalk *walk, const unsigned char *bytes,
                             size_t length) {
  size_t taken = keep(walk, bytes, length, LARGE_BOX_HEAD);
  if (walk->have == LARGE_BOX_HEAD)
    begin_box(walk, number(walk->kept + BOX_HEAD, 8), LARGE_BOX_HEAD);
  return taken;
}

static size_t step_box(ImageWalk *walk, const unsigned char *bytes,
                       size_t length) {
  size_t taken = keep(walk, bytes, length, BOX_HEAD);
  uint64_t size = number(walk->kept, 4);
  if (walk->have == BOX_HEAD && size == 1)
    walk->step = step_large_box;
  else if (walk->have == BOX_HEAD)
    begin_box(walk, size, BOX_HEAD);
  return taken;
}

/* Between two boxes, or in too little to be one. */
static bool is_behind_box(const ImageWalk *walk) {
  return walk->step == step_box && walk->inside == 0 && has_all(walk);
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
                               {"webp", step_webp},
                               {"avif", step_box}};
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
  unsigned char head[IMAGE_HEAD];
  size_t length = walk->have;
  memcpy(head, walk->kept, length);
  walk->step = step_of(image_extension(head, length));
  walk->have = 0;
  go(walk, head, length);
}

/* Collects what tells the kind; gives how many bytes it took. */
static size_t learn(ImageWalk *walk, const unsigned char *bytes,
                    size_t length) {
  size_t wanted =
      walk->have < IMAGE_KIND ? IMAGE_KIND : image_head_length(walk->kept);
  size_t taken = keep(walk, bytes, length, wanted);
  if (walk->have >= IMAGE_KIND && walk->have == image_head_length(walk->kept))
    begin(walk);
  return taken;
}

void image_walk(ImageWalk *walk, const char *bytes, size_t length) {
  const unsigned char *at = (const unsigned char *)bytes;
  while (!walk->step && length > 0) {
    size_t taken = learn(walk, at, length);
    at += taken;
    length -= taken;
  }
  if (walk->step)
    go(walk, at, length);
}

bool image_walk_is_over(const ImageWalk *walk) {
  if (!walk->step)
    return !image_extension(walk->kept, walk->have);
  return walk->skip == 0 && (walk->over || is_behind_box(walk));
}
