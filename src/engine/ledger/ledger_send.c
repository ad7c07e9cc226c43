/* Who may send a job: what its row says.  See ledger.h. */
#include "engine/base/clock.h"
#include "engine/store/ledger_tenant.h"
#include "ledger_bind.h"
#include "ledger_state.h"

#include <string.h>

/* Whose rows are; NULL = they name nobody. */
static const char *worker_of(const Ledger *ledger) {
  return *ledger->worker ? ledger->worker : NULL;
}

/* What INTEND_BODY and INTEND_AGAIN have in common. */
static void bind_body(sqlite3_stmt *statement, const LedgerEntry *entry) {
  ledger_bind_text(statement, 1, entry->key);
  ledger_bind_blob(statement, 2, entry->body, entry->body_length);
}

static bool refuse_key(const LedgerEntry *entry, Failure *failure) {
  failure_set(failure, "ledger", "key_in_use",
              "the ledger has a job with the key %.255s already: "
              "client:recover() and client:history() tell of it",
              entry->key);
  return false;
}

/* What SQLite did not let in because of its tenant: no more of the transaction
 * than that row was undone. */
static bool refuse_tenant(Ledger *ledger, const LedgerEntry *entry,
                          Failure *failure) {
  Tenant tenant;
  int code = SQLITE_DONE;
  if (ledger->counts)
    code = ledger_tenant_look(ledger->db, entry->tenant, &tenant);
  if (code == SQLITE_DONE) {
    failure_set(failure, "budget", "tenant_unknown",
                "the ledger has no tenant '%.128s': client:tenant(name, {}) "
                "makes one",
                entry->tenant);
  } else if (code == SQLITE_ROW) {
    failure_set(failure, "budget", "tenant_budget_exceeded",
                "this would reserve %d credits more, and '%.128s' has a budget "
                "of %.14g, of which %.14g are reserved and %.14g spent",
                entry->cost, entry->tenant, tenant.budget, tenant.reserved,
                tenant.spent);
  } else {
    ledger_fail(ledger);
    ledger_why(ledger, failure);
  }
  return false;
}

/* The row is not as one who wants to send its job must have it. */
static bool refuse_send(Ledger *ledger, const char *key, Failure *failure) {
  sqlite3_stmt *statement = ledger->statements[STATE_OF];
  int code;
  ledger_bind_text(statement, 1, key);
  code = sqlite3_step(statement);
  if (code == SQLITE_ROW) {
    failure_set(failure, "ledger", "not_ours_to_send",
                "the ledger says that the job with the key %.255s is %.32s, "
                "and not this client's to send: it was not sent by it",
                key, (const char *)sqlite3_column_text(statement, 0));
  } else if (code == SQLITE_DONE) {
    failure_set(failure, "ledger", "key_in_use",
                "the ledger has no job with the key %.255s", key);
  } else {
    ledger_fail(ledger);
    ledger_why(ledger, failure);
  }
  ledger_rewind(statement);
  return false;
}

/* SQLITE_DONE, or the error: what SQLite says of a job whose tenant does not
 * let it in.  `done`: the row is the entry's. */
static int insert(Ledger *ledger, const LedgerEntry *entry, bool *done) {
  sqlite3_stmt *body = ledger->statements[INTEND_BODY];
  int code;
  if (entry->tenant && *entry->tenant && !ledger->counts)
    return SQLITE_CONSTRAINT; /* there are no tenants */
  ledger_bind_entry(ledger->statements[INTEND], entry, ledger->account,
                    worker_of(ledger));
  code = ledger_finish(ledger->statements[INTEND]);
  *done = code == SQLITE_DONE && sqlite3_changes(ledger->db) == 1;
  if (!*done)
    return code;
  bind_body(body, entry);
  return ledger_finish(body);
}

static int take_over(Ledger *ledger, const LedgerEntry *entry, bool *done) {
  sqlite3_stmt *statement =
      ledger->statements[entry->maybe_charged ? INTEND_REPEAT : INTEND_AGAIN];
  int code;
  bind_body(statement, entry);
  sqlite3_bind_double(statement, 3, clock_wall());
  ledger_bind_text(statement, 4, ledger->account);
  ledger_bind_text(statement, 5, entry->attempt_id);
  ledger_bind_text(statement, 7, worker_of(ledger));
  ledger_bind_text(statement, 8, entry->seen_owner);
  if (entry->maybe_charged)
    ledger_bind_text(statement, 6, entry->job_id);
  else
    ledger_bind_text(statement, 12, entry->next_id);
  code = ledger_finish(statement);
  *done = code == SQLITE_DONE && sqlite3_changes(ledger->db) == 1;
  return code;
}

bool ledger_intend(Ledger *ledger, const LedgerEntry *entry, bool again,
                   Failure *failure) {
  bool done = false;
  int code;
  if (!ledger_may_spend(ledger, failure))
    return false;
  if (ledger_begin(ledger)) {
    code =
        again ? take_over(ledger, entry, &done) : insert(ledger, entry, &done);
    if (code == SQLITE_DONE && done)
      return true;
    if (code == SQLITE_DONE)
      return again ? refuse_send(ledger, entry->key, failure)
                   : refuse_key(entry, failure);
    if ((code & 0xff) == SQLITE_CONSTRAINT && !again && entry->tenant)
      return refuse_tenant(ledger, entry, failure);
    ledger_fail(ledger);
  }
  ledger_why(ledger, failure);
  return false;
}

bool ledger_permit(Ledger *ledger, const char *key, const LedgerSend *send,
                   Failure *failure) {
  sqlite3_stmt *statement = ledger->statements[PERMIT];
  if (ledger_begin(ledger)) {
    ledger_bind_text(statement, 1, key);
    ledger_bind_text(statement, 2, send->attempt_id);
    ledger_bind_text(statement, 3, send->next_id);
    ledger_bind_text(statement, 4, send->again ? "sent" : "intent");
    sqlite3_bind_int(statement, 5, (int)send->attempts);
    sqlite3_bind_double(statement, 6, clock_wall());
    ledger_bind_text(statement, 7, ledger->account);
    if (ledger_finish(statement) == SQLITE_DONE)
      return sqlite3_changes(ledger->db) == 1 ||
             refuse_send(ledger, key, failure);
    ledger_fail(ledger);
  }
  ledger_why(ledger, failure);
  return false;
}

bool ledger_has_other(Ledger *ledger, const char *base_url, const char *id,
                      const char *key) {
  sqlite3_stmt *statement = ledger->statements[OTHER_WITH_ID];
  int code;
  ledger_bind_text(statement, 1, id);
  ledger_bind_text(statement, 2, base_url);
  ledger_bind_text(statement, 3, key);
  code = sqlite3_step(statement);
  if (ledger_is_final(code))
    ledger_fail(ledger);
  ledger_rewind(statement);
  return code == SQLITE_ROW;
}

static bool is_open(const char *state) {
  static const char *const open[] = {"intent", "sent", "accepted", "unknown"};
  for (size_t i = 0; i < sizeof open / sizeof *open; i++)
    if (strcmp(state, open[i]) == 0)
      return true;
  return false;
}

bool ledger_look(Ledger *ledger, const char *key, LedgerStand *stand) {
  sqlite3_stmt *statement = ledger->statements[STATE_OF];
  const char *state, *charged;
  int code;
  ledger_bind_text(statement, 1, key);
  code = sqlite3_step(statement);
  *stand = (LedgerStand){.found = code == SQLITE_ROW};
  if (stand->found) {
    state = (const char *)sqlite3_column_text(statement, 0);
    charged = (const char *)sqlite3_column_text(statement, 1);
    stand->open = !state || is_open(state);
    stand->free = charged && strcmp(charged, "no") == 0;
  }
  if (ledger_is_final(code))
    ledger_fail(ledger);
  ledger_rewind(statement);
  return code == SQLITE_ROW || code == SQLITE_DONE;
}
