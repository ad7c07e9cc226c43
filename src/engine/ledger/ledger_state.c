/* A ledger's transaction, and why it is down: see ledger_state.h. */
#include "ledger_state.h"

#include "engine/store/ledger_check.h"
#include "engine/store/ledger_tenant.h"

#include <string.h>

bool ledger_is_final(int code) {
  return code == SQLITE_READONLY_DBMOVED ||
         strcmp(ledger_trouble(code), "ledger_damaged") == 0;
}

static void explain(Ledger *ledger) {
  int code = sqlite3_extended_errcode(ledger->db);
  ledger->broken = ledger_is_final(code);
  ledger->busy = (code & 0xff) == SQLITE_BUSY;
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

static int run(Ledger *ledger, const char *sql) {
  return sqlite3_exec(ledger->db, sql, NULL, NULL, NULL);
}

/* Somebody else may have made the first tenant: SQLITE_ROW, SQLITE_DONE, or
 * what went wrong. */
static int look_for_tenants(Ledger *ledger) {
  sqlite3_stmt *statement = ledger->statements[ANY_TENANT];
  int code;
  if (ledger->counts || !ledger_lock_is_shared(ledger->lock))
    return SQLITE_DONE;
  code = sqlite3_step(statement);
  sqlite3_reset(statement);
  return code;
}

/* With the first tenant counting begins, between two transactions. */
static int begin(Ledger *ledger) {
  int code = run(ledger, "BEGIN IMMEDIATE");
  if (code != SQLITE_OK)
    return code;
  ledger->open = true;
  code = look_for_tenants(ledger);
  if (code != SQLITE_ROW)
    return code == SQLITE_DONE ? SQLITE_OK : code;
  code = run(ledger, "COMMIT");
  if (code == SQLITE_OK)
    code = ledger_tenant_count(ledger->db);
  ledger->counts = code == SQLITE_OK;
  return ledger->counts ? run(ledger, "BEGIN IMMEDIATE") : code;
}

bool ledger_begin(Ledger *ledger) {
  if (ledger->trouble.kind)
    return false;
  if (!ledger->open && begin(ledger) != SQLITE_OK)
    return ledger_fail(ledger);
  ledger->open = true;
  return true;
}

bool ledger_is_down(const Ledger *ledger) {
  return ledger->trouble.kind != NULL;
}

bool ledger_is_busy(const Ledger *ledger) {
  return ledger->trouble.kind && ledger->busy;
}

bool ledger_is_broken(const Ledger *ledger) {
  return ledger->broken;
}

void ledger_why(const Ledger *ledger, Failure *failure) {
  failure_clear(failure);
  failure_copy(failure, &ledger->trouble);
}
