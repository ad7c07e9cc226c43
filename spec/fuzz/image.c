/*
 * The end of images (image_walk.c) in whatever a host sends: the first byte
 * says how the others are cut into parts, which must not matter; and what was
 * whole stays so, however much comes behind it, but for an AVIF: more of its
 * boxes may come.
 */
#include "fuzz.h"

#include "engine/files/image_walk.h"

static bool is_avif(const char *bytes, size_t length) {
  const char *extension = image_extension(bytes, length);
  return extension && strcmp(extension, "avif") == 0;
}

static bool walk_in_parts(const char *bytes, size_t length, size_t part) {
  ImageWalk walk = {0};
  bool whole = false;
  for (size_t at = 0; at < length; at += part) {
    size_t left = length - at;
    size_t size = left < part ? left : part;
    char *exact = malloc(size); /* a byte read too many is seen */
    if (!exact)
      abort();
    memcpy(exact, bytes + at, size);
    image_walk(&walk, exact, size);
    free(exact);
    if (at + size >= IMAGE_HEAD) {
      check(!whole || image_walk_is_over(&walk) || is_avif(bytes, length),
            "not whole any more");
      whole = image_walk_is_over(&walk);
    }
  }
  return image_walk_is_over(&walk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input = {data, data + size};
  size_t part = 1 + input_byte(&input) % 32;
  const char *all = (const char *)input.at;
  size_t length = (size_t)(input.end - input.at);
  if (length > 0) {
    bool whole = walk_in_parts(all, length, length);
    check(walk_in_parts(all, length, part) == whole, "parts of %zu: %d", part,
          !whole);
    check(walk_in_parts(all, length, 1) == whole, "byte by byte: %d", !whole);
  }
  return 0;
}
