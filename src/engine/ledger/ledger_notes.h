/*
 * What is to be written into a ledger and is not durable yet: copies, in the
 * order in which they were told.  Private to the ledger's files; I/O thread.
 *
 * They are few: jobs whose news cannot be written send nothing more.  The raw
 * answers, which are what takes room, are left out of what comes after
 * LEDGER_NOTES_MAX bytes of them.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_NOTES_H
#define GPTIMAGE2_ENGINE_LEDGER_NOTES_H

#include "ledger_entry.h"

#define LEDGER_NOTES_MAX ((size_t)64 << 20)

typedef struct LedgerNote {
  struct LedgerNote *next;
  const char *key; /* NULL: of the job with news.job_id */
  LedgerNews news;
  unsigned n;       /* of a saved image; 0 = news */
  const char *path; /* of that image */
  size_t bytes;     /* of the answers */
} LedgerNote;

typedef struct LedgerNotes {
  LedgerNote *first;
  LedgerNote *last;
  size_t bytes;
} LedgerNotes;

/* Appends copies of all that is given; NULL without memory. */
LedgerNote *ledger_notes_add(LedgerNotes *notes, const LedgerNote *note);

/* Takes back the last one. */
void ledger_notes_drop_last(LedgerNotes *notes);

/* Forgets all of them. */
void ledger_notes_clear(LedgerNotes *notes);

#endif
