/*
 * What the sandbox was asked: a ring of the last requests. Owns the ring;
 * runs under the server's lock.
 */
#include "journal.h"

#include <stdlib.h>
#include <string.h>

bool journal_init(Journal *journal) {
  journal->count = 0;
  journal->entries = calloc(JOURNAL_SIZE, sizeof *journal->entries);
  return journal->entries;
}

void journal_free(Journal *journal) {
  free(journal->entries);
  *journal = (Journal){0};
}

JournalEntry *journal_add(Journal *journal, uint64_t *number) {
  *number = journal->count++;
  JournalEntry *entry = &journal->entries[*number % JOURNAL_SIZE];
  memset(entry, 0, sizeof *entry);
  return entry;
}

void journal_status(Journal *journal, uint64_t number, unsigned status) {
  if (journal->count - number <= JOURNAL_SIZE)
    journal->entries[number % JOURNAL_SIZE].status = status;
}

size_t journal_size(const Journal *journal) {
  bool full = journal->count > JOURNAL_SIZE;
  return full ? JOURNAL_SIZE : (size_t)journal->count;
}

const JournalEntry *journal_at(const Journal *journal, size_t i) {
  uint64_t oldest = journal->count - journal_size(journal);
  return &journal->entries[(oldest + i) % JOURNAL_SIZE];
}
