/* Values for the ledger's statements: see ledger_bind.h. */
#include "ledger_bind.h"

#include "engine/base/clock.h"

void ledger_rewind(sqlite3_stmt *statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
}

int ledger_finish(sqlite3_stmt *statement) {
  int code = sqlite3_step(statement);
  ledger_rewind(statement);
  return code;
}

void ledger_bind_text(sqlite3_stmt *statement, int place, const char *text) {
  if (text)
    sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

void ledger_bind_blob(sqlite3_stmt *statement, int place, const char *bytes,
                      size_t length) {
  if (bytes)
    sqlite3_bind_blob64(statement, place, bytes, length, SQLITE_STATIC);
}

void ledger_bind_entry(sqlite3_stmt *statement, const LedgerEntry *entry,
                       const char *account, const char *worker) {
  ledger_bind_text(statement, 1, entry->key);
  ledger_bind_text(statement, 2, entry->base_url);
  ledger_bind_text(statement, 3, entry->mode);
  ledger_bind_text(statement, 4, entry->prompt);
  ledger_bind_text(statement, 5, entry->ratio);
  ledger_bind_text(statement, 6, entry->metadata);
  sqlite3_bind_int(statement, 7, entry->count);
  sqlite3_bind_int(statement, 8, entry->cost);
  sqlite3_bind_double(statement, 9, clock_wall());
  ledger_bind_text(statement, 10, account);
  ledger_bind_text(statement, 11, entry->attempt_id);
  ledger_bind_text(statement, 12, entry->next_id);
  ledger_bind_text(statement, 13, entry->tenant);
  ledger_bind_text(statement, 14, worker);
}
