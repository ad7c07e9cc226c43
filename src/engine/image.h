/*
 * What kind of image some bytes are, by their first bytes alone: neither a
 * server's Content-Type nor a URL's ending is believed.  Pure; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_IMAGE_H
#define GPTIMAGE2_ENGINE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_HEAD 16 /* bytes that are enough to tell */
#define IMAGE_TAIL 64 /* the same for its end, and what stands behind that */

/* "png", "jpg", "webp", "gif" or "avif"; NULL when it is none of them. */
const char *image_extension(const void *head, size_t length);

/* False when the image's own end is missing, for answers that do not tell where
 * they end.  `head` holds its first IMAGE_HEAD bytes, as far as there are so
 * many, `tail` the last IMAGE_TAIL; `length` is that of all of it.  An AVIF has
 * no such mark, and counts as whole. */
bool image_is_whole(const char *head, const char *tail, size_t tail_length,
                    int64_t length);

#endif
