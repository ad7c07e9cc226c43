/* A ledger's transaction, and why it is down: see ledger_state.h. */
#include "ledger_state.h"

#include "engine/store/ledger_check.h"

#include <string.h>

bool ledger_is_final(int code) {
  return code == SQLITE_READONLY_DBMOVED ||
         strcmp(ledger_trouble(code), "ledger_damaged") == 0;
}

static void explain(Ledger *ledger) {
  int code = sqlite3_extended_errcode(ledger->db);
  ledger->broken = ledger_is_final(code);
  failure_set(&ledger->trouble, "ledger",
              ledger->broken ? "ledger_damaged" : "ledger_unwritable",
              "the ledger '%.300s' cannot be written (%s): nothing is spent%s",
              ledger->path, sqlite3_errmsg(ledger->db),
              ledger->broken ? " any more" : " until it can");
}

bool ledger_fail(Ledger *ledger) {
  failure_clear(&ledger->trouble);
  explain(ledger);
  if (ledger->open)
    sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
  ledger->open = false;
  ledger->left = ledger->notes.first;
  return false;
}

bool ledger_begin(Ledger *ledger) {
  if (ledger->trouble.kind)
    return false;
  if (!ledger->open && sqlite3_exec(ledger->db, "BEGIN IMMEDIATE", NULL, NULL,
                                    NULL) != SQLITE_OK)
    return ledger_fail(ledger);
  ledger->open = true;
  return true;
}

bool ledger_is_down(const Ledger *ledger) {
  return ledger->trouble.kind != NULL;
}

bool ledger_is_broken(const Ledger *ledger) {
  return ledger->broken;
}

void ledger_why(const Ledger *ledger, Failure *failure) {
  failure_clear(failure);
  failure_copy(failure, &ledger->trouble);
}
