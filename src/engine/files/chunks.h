/*
 * A text that is put together from pieces, in blocks.
 *
 * The host's thread makes it inside a frame.  glibc sweeps up all the small
 * pieces of memory that were freed before when it is asked for 1 KiB or more,
 * and after Lua's collector that takes a millisecond: so a block is smaller.
 * One thread at a time.
 */
#ifndef GPTIMAGE2_ENGINE_CHUNKS_H
#define GPTIMAGE2_ENGINE_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_BLOCK 960 /* bytes; with all that belongs to it under 1 KiB */

typedef struct TextBlock {
  struct TextBlock *next;
  size_t length;
  char bytes[TEXT_BLOCK];
} TextBlock;

/* All zero = empty. */
typedef struct Chunks {
  TextBlock *first;
  TextBlock *last;
} Chunks;

/* False without memory: then a part of it may be there. */
bool chunks_append(Chunks *text, const char *bytes, size_t length);

void chunks_free(Chunks *text);

#endif
