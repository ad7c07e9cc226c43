/*
 * Who works on what is unfinished in a ledger: taking over rows whose owner
 * does not live, so that of all who find them one has each.  That decides who
 * works, not who sends: see ledger_permit.
 *
 * On a connection of its own; the host's thread.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_CLAIM_H
#define GPTIMAGE2_ENGINE_LEDGER_CLAIM_H

#include "engine/base/failure.h"

#include <stdbool.h>
#include <stddef.h>

/* Which file: at that path, and, where it is known, that very one. */
typedef struct LedgerPlace {
  const char *path;
  const char *file; /* NULL = any: see ledger_file_id */
  bool any_owner;   /* it may seem to be somebody else's */
} LedgerPlace;

/* One row, as it was read, and whether it was had. */
typedef struct LedgerClaim {
  const char *key, *state;
  const char *owner; /* NULL = none */
  bool taken;
} LedgerClaim;

/* Makes `worker` (NULL: nobody) the owner of all rows that are as they were
 * read, at once.  Waits two seconds for others.  False with `failure`: then
 * none was taken. */
bool ledger_claim(const LedgerPlace *place, const char *worker,
                  LedgerClaim *claims, size_t count, Failure *failure);

#endif
