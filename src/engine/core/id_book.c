/* Whose the job ids are: see id_book.h. */
#include "id_book.h"

#include <stdint.h>
#include <stdlib.h>

#define SHELVES ID_BOOK_MAX
#define NONE UINT16_MAX

typedef struct Entry {
  uint64_t id;
  uint64_t key;
  uint16_t next; /* on the same shelf */
} Entry;

typedef struct IdPages {
  unsigned count; /* that were ever noted, wrapping */
  unsigned used;
  Entry entries[ID_BOOK_MAX];
  uint16_t shelves[SHELVES]; /* the first entry of each */
} IdPages;

/* FNV-1a, and what mixes its upper bits into the lower. */
static uint64_t fingerprint(const char *text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (; *text; text++)
    hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
  return hash ^ hash >> 32;
}

static IdPages *new_pages(void) {
  IdPages *pages = malloc(sizeof *pages);
  if (!pages)
    return NULL;
  pages->count = pages->used = 0;
  for (unsigned i = 0; i < SHELVES; i++)
    pages->shelves[i] = NONE;
  return pages;
}

static uint16_t *shelf_of(IdPages *pages, uint64_t id) {
  return &pages->shelves[id % SHELVES];
}

static const Entry *find(IdPages *pages, uint64_t id) {
  uint16_t at = *shelf_of(pages, id);
  while (at != NONE && pages->entries[at].id != id)
    at = pages->entries[at].next;
  return at == NONE ? NULL : &pages->entries[at];
}

static void take_down(IdPages *pages, uint16_t seat) {
  uint16_t *at = shelf_of(pages, pages->entries[seat].id);
  while (*at != seat)
    at = &pages->entries[*at].next;
  *at = pages->entries[seat].next;
}

static void note(IdPages *pages, uint64_t id, uint64_t key) {
  uint16_t seat = (uint16_t)(pages->count++ % ID_BOOK_MAX);
  uint16_t *shelf = shelf_of(pages, id);
  if (pages->used == ID_BOOK_MAX)
    take_down(pages, seat);
  else
    pages->used++;
  pages->entries[seat] = (Entry){.id = id, .key = key, .next = *shelf};
  *shelf = seat;
}

bool id_book_claim(IdBook *book, const char *id, const char *key) {
  uint64_t named = fingerprint(id);
  uint64_t by = fingerprint(key);
  const Entry *known;
  if (!book->pages && !(book->pages = new_pages()))
    return true;
  known = find(book->pages, named);
  if (known)
    return known->key == by;
  note(book->pages, named, by);
  return true;
}

void id_book_free(IdBook *book) {
  free(book->pages);
  book->pages = NULL;
}
