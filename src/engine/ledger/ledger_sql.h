/*
 * What the ledger asks its database: the statements, and who may change a row.
 *
 * Numbers of parameters are those of the binders: ledger_send.c,
 * ledger_tell.c, ledger_bind.c.
 * Private to the ledger's files; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_SQL_H
#define GPTIMAGE2_ENGINE_LEDGER_SQL_H

#include <sqlite3.h>

typedef enum LedgerStatement {
  INTEND,
  INTEND_BODY,
  INTEND_AGAIN,
  INTEND_REPEAT,
  PERMIT,
  STATE_OF,
  OTHER_WITH_ID,
  TELL_BY_KEY,
  TELL_BY_ID,
  ANSWER_BY_KEY,
  ANSWER_BY_ID,
  SAVE_FILE,
  DURATIONS,
  ANY_TENANT,
  STATEMENTS
} LedgerStatement;

extern const char *const ledger_sql[STATEMENTS];

/* Gives the connection the functions that they call: service(url), the name
 * that a service has however its URL is spelled.  A SQLite code. */
int ledger_sql_functions(sqlite3 *db);

#endif
