/* Copies of ledger entries, on their way from the host to the I/O thread. */
#include "ledger_entry.h"

#include <stdlib.h>
#include <string.h>

static const char *copy(const char *text, bool *ok) {
  char *copied = text ? strdup(text) : NULL;
  if (text && !copied)
    *ok = false;
  return copied;
}

LedgerEntry *ledger_entry_copy(const LedgerEntry *entry) {
  LedgerEntry *copied = malloc(sizeof *copied);
  bool ok = true;
  if (!copied)
    return NULL;
  *copied = (LedgerEntry){.count = entry->count, .cost = entry->cost};
  copied->mode = copy(entry->mode, &ok);
  copied->prompt = copy(entry->prompt, &ok);
  copied->ratio = copy(entry->ratio, &ok);
  copied->metadata = copy(entry->metadata, &ok);
  copied->job_id = copy(entry->job_id, &ok);
  copied->seen_id = copy(entry->seen_id, &ok);
  copied->seen_owner = copy(entry->seen_owner, &ok);
  copied->tenant = copy(entry->tenant, &ok);
  if (ok)
    return copied;
  ledger_entry_free(copied);
  return NULL;
}

void ledger_entry_free(LedgerEntry *entry) {
  if (!entry)
    return;
  free((char *)entry->mode);
  free((char *)entry->prompt);
  free((char *)entry->ratio);
  free((char *)entry->metadata);
  free((char *)entry->job_id);
  free((char *)entry->seen_id);
  free((char *)entry->seen_owner);
  free((char *)entry->tenant);
  free(entry);
}
