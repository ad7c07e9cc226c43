/*
 * Whose the job ids are that a service gave: the latest of them, by the
 * idempotency keys of the jobs.
 *
 * Both are kept as fingerprints.  One account's; I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_ID_BOOK_H
#define GPTIMAGE2_ENGINE_ID_BOOK_H

#include <stdbool.h>

#define ID_BOOK_MAX 4096 /* ids: the oldest makes room for a new one */

struct IdPages;

/* All zero is an empty one. */
typedef struct IdBook {
  struct IdPages *pages;
} IdBook;

/* Notes that the job with this key was given this id.  False, and nothing has
 * changed, when that is another's.  Without memory nothing is noted. */
bool id_book_claim(IdBook *book, const char *id, const char *key);

void id_book_free(IdBook *book);

#endif
