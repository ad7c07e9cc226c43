/* What is not durable yet: see ledger_notes.h. */
#include "ledger_notes.h"

#include <stdlib.h>
#include <string.h>

/* Where the next copy goes. */
typedef struct Room {
  char *at;
} Room;

static size_t size_of(const char *text) {
  return text ? strlen(text) + 1 : 0;
}

static const char *keep(Room *room, const char *bytes, size_t size) {
  char *copy = room->at;
  if (!bytes)
    return NULL;
  memcpy(copy, bytes, size);
  room->at += size;
  return copy;
}

static const char *keep_text(Room *room, const char *text) {
  return keep(room, text, size_of(text));
}

static size_t size_of_texts(const LedgerNote *note) {
  const LedgerNews *news = &note->news;
  return size_of(note->key) + size_of(note->path) + size_of(news->state) +
         size_of(news->charged) + size_of(news->job_id) +
         size_of(news->base_url) + size_of(news->account) +
         size_of(news->error) + size_of(news->attempt_id) +
         size_of(news->next_id) + size_of(news->seen_id);
}

static void keep_texts(Room *room, LedgerNote *note) {
  LedgerNews *news = &note->news;
  note->key = keep_text(room, note->key);
  note->path = keep_text(room, note->path);
  news->state = keep_text(room, news->state);
  news->charged = keep_text(room, news->charged);
  news->job_id = keep_text(room, news->job_id);
  news->base_url = keep_text(room, news->base_url);
  news->account = keep_text(room, news->account);
  news->error = keep_text(room, news->error);
  news->attempt_id = keep_text(room, news->attempt_id);
  news->next_id = keep_text(room, news->next_id);
  news->seen_id = keep_text(room, news->seen_id);
  news->answer = keep(room, news->answer, news->answer_length);
  news->result = keep(room, news->result, news->result_length);
}

LedgerNote *ledger_notes_add(LedgerNotes *notes, const LedgerNote *note) {
  LedgerNote copy = *note;
  LedgerNews *news = &copy.news;
  LedgerNote *added;
  Room room;
  copy.bytes = news->answer_length + news->result_length;
  if (notes->bytes + copy.bytes > LEDGER_NOTES_MAX) {
    news->answer = news->result = NULL;
    copy.bytes = news->answer_length = news->result_length = 0;
  }
  added = malloc(sizeof copy + size_of_texts(&copy) + copy.bytes);
  if (!added)
    return NULL;
  room.at = (char *)(added + 1);
  keep_texts(&room, &copy);
  copy.next = NULL;
  *added = copy;
  if (notes->last)
    notes->last->next = added;
  else
    notes->first = added;
  notes->last = added;
  notes->bytes += copy.bytes;
  return added;
}

void ledger_notes_drop_last(LedgerNotes *notes) {
  LedgerNote *last = notes->last;
  LedgerNote *before = NULL;
  if (!last)
    return;
  for (LedgerNote *note = notes->first; note != last; note = note->next)
    before = note;
  if (before)
    before->next = NULL;
  else
    notes->first = NULL;
  notes->last = before;
  notes->bytes -= last->bytes;
  free(last);
}

void ledger_notes_clear(LedgerNotes *notes) {
  while (notes->first) {
    LedgerNote *note = notes->first;
    notes->first = note->next;
    free(note);
  }
  *notes = (LedgerNotes){0};
}
