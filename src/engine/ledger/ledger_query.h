/*
 * What is asked of a ledger's jobs: the statement for a filter, answered
 * through an index and in its order, so that it costs what is found and no
 * more.  Private to the ledger's files; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_QUERY_H
#define GPTIMAGE2_ENGINE_LEDGER_QUERY_H

#include "engine/store/ledger_check.h"
#include "ledger_filter.h"

#define LEDGER_QUERY_MAX 4096

/* Writes the statement; its columns are those that ledger_reader.c reads.  A
 * file of an older version is asked without indexes. */
void ledger_query(char sql[LEDGER_QUERY_MAX], const LedgerFilter *filter,
                  const LedgerContents *contents);

/* Binds what the filter holds.  False without memory. */
bool ledger_query_bind(sqlite3_stmt *rows, const LedgerFilter *filter);

/* The paths of the saved images of the job with the key ?1. */
extern const char ledger_query_files[];

#endif
