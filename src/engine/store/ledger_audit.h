/*
 * What is wrong with a ledger's file as a whole: damage, and rows of one table
 * that those of another contradict.  It reads all of it.  Private to the
 * ledger's files; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_AUDIT_H
#define GPTIMAGE2_ENGINE_LEDGER_AUDIT_H

#include "ledger_check.h"
#include "ledger_finding.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* How far an audit is; all zero at first. */
typedef struct LedgerAudit {
  sqlite3_stmt *statement;
  size_t next; /* question */
} LedgerAudit;

/* The next finding; its texts are valid until the next.  False at the end, and
 * where SQLite says something else than that, or that the file is damaged:
 * `code` is its word. */
bool ledger_audit_next(LedgerAudit *audit, sqlite3 *db,
                       const LedgerContents *contents, LedgerFinding *finding,
                       int *code);

/* Ends it, wherever it is. */
void ledger_audit_end(LedgerAudit *audit);

#endif
