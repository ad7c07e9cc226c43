/*
 * A gzip file that is small and unpacks to a huge one. Pure.
 */
#ifndef GPTIMAGE2_SANDBOX_GZIP_BOMB_H
#define GPTIMAGE2_SANDBOX_GZIP_BOMB_H

#include <stddef.h>
#include <stdint.h>

enum { GZIP_BOMB_MIN = 4096 };
#define GZIP_BOMB_MAX ((uint64_t)16 << 30)

/*
 * The file of {"padding":"aaa…"} with `bytes` bytes, from GZIP_BOMB_MIN to
 * GZIP_BOMB_MAX, at about 1032 to 1. Malloc'ed, the caller's; NULL: no memory.
 */
char *gzip_bomb_make(uint64_t bytes, size_t *size);

#endif
