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

/* "png", "jpg", "webp", "gif" or "avif"; NULL when it is none of them. */
const char *image_extension(const void *head, size_t length);

#endif
