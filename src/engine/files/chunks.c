/* A text that is put together from pieces: see chunks.h. */
#include "chunks.h"

#include <stdlib.h>
#include <string.h>

/* A block with room at the end; NULL without memory. */
static TextBlock *open_block(Chunks *text) {
  TextBlock *block = text->last;
  if (block && block->length < TEXT_BLOCK)
    return block;
  block = malloc(sizeof *block);
  if (!block)
    return NULL;
  block->next = NULL;
  block->length = 0;
  if (text->last)
    text->last->next = block;
  else
    text->first = block;
  text->last = block;
  return block;
}

bool chunks_append(Chunks *text, const char *bytes, size_t length) {
  while (length > 0) {
    TextBlock *block = open_block(text);
    size_t part;
    if (!block)
      return false;
    part = TEXT_BLOCK - block->length;
    if (part > length)
      part = length;
    memcpy(block->bytes + block->length, bytes, part);
    block->length += part;
    bytes += part;
    length -= part;
  }
  return true;
}

void chunks_free(Chunks *text) {
  while (text->first) {
    TextBlock *block = text->first;
    text->first = block->next;
    free(block);
  }
  text->last = NULL;
}
