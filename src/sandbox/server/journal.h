/*
 * What the sandbox was asked: the last requests, and how many of each kind.
 * Entries have fixed sizes, so that noting one allocates nothing. Runs under
 * the server's lock.
 */
#ifndef GPTIMAGE2_SANDBOX_JOURNAL_H
#define GPTIMAGE2_SANDBOX_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JOURNAL_SIZE = 4096 };

typedef struct JournalEntry {
  double time;     /* seconds since the start */
  unsigned status; /* 0: not answered, or not yet */
  bool authorization;
  char method[8], path[288], key[256], user_agent[96], range[48];
} JournalEntry;

typedef struct Journal {
  JournalEntry *entries; /* JOURNAL_SIZE of them, a ring */
  uint64_t count;        /* of all ever noted */
} Journal;

/* False: no memory. */
bool journal_init(Journal *journal);
void journal_free(Journal *journal);

/* Room for the next entry, zeroed; `*number` is for journal_status. */
JournalEntry *journal_add(Journal *journal, uint64_t *number);

/* Notes what the request was answered with, if it is still in the ring. */
void journal_status(Journal *journal, uint64_t number, unsigned status);

/* How many entries the ring holds; the i-th of them, the oldest is 0. */
size_t journal_size(const Journal *journal);
const JournalEntry *journal_at(const Journal *journal, size_t i);

#endif
