/*
 * Which jobs of a ledger are asked for.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_FILTER_H
#define GPTIMAGE2_ENGINE_LEDGER_FILTER_H

#include <stdbool.h>

/* Which rows; NULL, 0 and false do not restrict.  Times since 1970. */
typedef struct LedgerFilter {
  const char *key;
  const char *job_id;
  const char *state;
  const char *tenant;
  const char *file; /* what ledger_file_of gave: another one is refused */
  double since;
  double until;
  long limit;
  bool unfinished; /* intent, sent, accepted, unknown */
  bool newest_first;
  bool any_owner; /* as in LedgerOptions */
} LedgerFilter;

#endif
