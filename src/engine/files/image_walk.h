/*
 * Whether an image is all there: its own end is looked for while its bytes go
 * by, for an answer may be cut off and have the length that it names.  A PNG
 * ends with its IEND chunk, a JPEG with its EOI marker, a GIF with its trailer,
 * a WebP where its head says.  An AVIF has no such mark: it is whole where one
 * of its boxes ends and what describes the image and its data were there, until
 * another box begins.  What stands behind the end is allowed.  What the lengths
 * within it pass over is not looked at, whatever it holds.  No decoding:
 * nothing else is judged.
 * Pure; one thread at a time.
 */
#ifndef GPTIMAGE2_ENGINE_IMAGE_WALK_H
#define GPTIMAGE2_ENGINE_IMAGE_WALK_H

#include "image.h"

typedef struct ImageWalk ImageWalk;

/* Looks at the bytes, at least one; gives how many of them it has used. */
typedef size_t ImageStep(ImageWalk *walk, const unsigned char *bytes,
                         size_t length);

struct ImageWalk {
  ImageStep *step; /* NULL = the kind is not known yet */
  uint64_t skip;   /* bytes to pass over */
  uint64_t inside; /* AVIF: bytes of the meta box behind the last box in it */
  size_t have;     /* bytes in `kept` */
  unsigned char kept[IMAGE_HEAD];
  bool described; /* AVIF: what describes the image was there */
  bool with_data; /* AVIF: and what has its data */
  bool over;      /* the end was met */
};

/* The next bytes.  A walk begins as all zeros. */
void image_walk(ImageWalk *walk, const char *bytes, size_t length);

/* False when bytes of the image are missing.  True for what is no image. */
bool image_walk_is_over(const ImageWalk *walk);

#endif
