/*
 * The pictures the sandbox serves: PNG files drawn by cairo, and one cache of
 * them. A Picture is counted by reference; cache and pictures belong to one
 * thread, the server's (its owner may free them once that is joined). Drawing
 * itself is serialised for the whole process, for the font library's sake.
 */
#ifndef GPTIMAGE2_SANDBOX_PICTURE_H
#define GPTIMAGE2_SANDBOX_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox/service/service.h"

enum {
  PICTURE_MIN_SIDE = 16,
  PICTURE_MAX_SIDE = 8192,
  PICTURE_MIN_BYTES = 4096,
  PICTURE_MAX_BYTES = 1 << 30,
  PICTURE_CACHED = 32,             /* pictures kept, at most */
  PICTURE_CACHED_BYTES = 384 << 20 /* their bytes, the newest apart */
};

/* The bytes of one file, and its entity tag with the quotes. */
typedef struct Picture {
  unsigned references;
  unsigned char *data;
  size_t size;
  char etag[24];
} Picture;

/* What a picture shows. Equal wishes give equal bytes. */
typedef struct PictureWish {
  Ratio ratio;
  int side; /* the longer one, in pixels */
  uint64_t seed;
  const char *text; /* UTF-8, wrapped onto the picture */
  size_t bytes;     /* pad the file to exactly that many; 0: as it comes */
} PictureWish;

/* Draws. NULL: no memory. The caller holds one reference. */
Picture *picture_draw(const PictureWish *wish);
void picture_release(Picture *picture);

typedef struct CachedPicture {
  char name[96];
  Picture *picture;
  uint64_t used;
} CachedPicture;

typedef struct PictureCache {
  CachedPicture cached[PICTURE_CACHED];
  uint64_t clock;
} PictureCache;

/* The picture of that name, with a reference for the caller, or NULL. */
Picture *picture_cache_find(PictureCache *cache, const char *name);

/* Keeps `picture` too; forgets the ones unused for longest to make room. */
void picture_cache_add(PictureCache *cache, const char *name, Picture *picture);
void picture_cache_free(PictureCache *cache);

#endif
