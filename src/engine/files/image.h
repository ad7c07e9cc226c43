/*
 * What kind of image some bytes are, by their first bytes alone: neither a
 * server's Content-Type nor a URL's ending is believed.  Pure; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_IMAGE_H
#define GPTIMAGE2_ENGINE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_HEAD 64 /* bytes that are enough to tell */
#define IMAGE_KIND 12 /* so many tell, or how many do: image_head_length */

/* "png", "jpg", "webp", "gif" or "avif"; NULL when it is none of them. */
const char *image_extension(const void *head, size_t length);

/* How many bytes are enough for that, as the first IMAGE_KIND of them say: all
 * brands of an AVIF whose first is another one. */
size_t image_head_length(const void *head);

#endif
