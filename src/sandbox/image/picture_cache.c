/*
 * The pictures drawn last, so that ranges and repeated requests need no
 * drawing. Owns one reference to each; runs on the server's thread.
 */
#include <stdio.h>
#include <string.h>

#include "picture.h"

Picture *picture_cache_find(PictureCache *cache, const char *name) {
  for (size_t i = 0; i < PICTURE_CACHED; i++) {
    CachedPicture *cached = &cache->cached[i];
    if (cached->picture && strcmp(cached->name, name) == 0) {
      cached->used = ++cache->clock;
      cached->picture->references++;
      return cached->picture;
    }
  }
  return NULL;
}

static void drop(CachedPicture *cached) {
  picture_release(cached->picture);
  *cached = (CachedPicture){0};
}

/* Drops what was unused for longest; gives its place, or an empty one. */
static CachedPicture *make_room(PictureCache *cache, size_t size) {
  for (;;) {
    CachedPicture *empty = NULL, *oldest = NULL;
    size_t bytes = 0;
    for (size_t i = 0; i < PICTURE_CACHED; i++) {
      CachedPicture *cached = &cache->cached[i];
      if (!cached->picture) {
        empty = cached;
        continue;
      }
      bytes += cached->picture->size;
      if (!oldest || cached->used < oldest->used)
        oldest = cached;
    }
    if (!oldest || (empty && bytes + size <= PICTURE_CACHED_BYTES))
      return empty;
    drop(oldest);
  }
}

void picture_cache_add(PictureCache *cache, const char *name,
                       Picture *picture) {
  CachedPicture *cached = make_room(cache, picture->size);
  snprintf(cached->name, sizeof cached->name, "%s", name);
  cached->picture = picture;
  cached->used = ++cache->clock;
  picture->references++;
}

void picture_cache_free(PictureCache *cache) {
  for (size_t i = 0; i < PICTURE_CACHED; i++)
    drop(&cache->cached[i]);
}
