/*
 * What tenants have reserved and spent: as a ledger has it, and once more from
 * the rows of their jobs, by a judge who knows nothing of the ledger's own.
 */
#ifndef GPTIMAGE2_C_TENANT_SUMS_H
#define GPTIMAGE2_C_TENANT_SUMS_H

#include "one_ledger.h"

#define PRICE 20
#define PRICES(n) ((n)*20.0)

/* ---- looking ---- */

static inline sqlite3_stmt *ask(sqlite3 *db, const char *sql,
                                const char *text) {
  sqlite3_stmt *statement;
  int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
  check(code == SQLITE_OK, "%s: %s", sqlite3_errmsg(db), sql);
  if (text)
    sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
  return statement;
}

static inline sqlite3 *look(void) {
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  return db;
}

static inline Tenant tenant_in(sqlite3 *db, const char *name) {
  Tenant tenant = {.budget = (double)INFINITY};
  sqlite3_stmt *row = ask(
      db, "SELECT budget, reserved, spent, weight FROM tenants WHERE id = ?1",
      name);
  tenant.found = sqlite3_step(row) == SQLITE_ROW;
  if (tenant.found && sqlite3_column_type(row, 0) != SQLITE_NULL)
    tenant.budget = sqlite3_column_double(row, 0);
  if (tenant.found) {
    tenant.reserved = sqlite3_column_double(row, 1);
    tenant.spent = sqlite3_column_double(row, 2);
    tenant.weight = sqlite3_column_double(row, 3);
  }
  sqlite3_finalize(row);
  return tenant;
}

static inline void assert_sound(void) {
  Failure failure = {0};
  LedgerReader *reader = ledger_reader_open(path, &(LedgerFilter){0}, &failure);
  LedgerFinding finding;
  assert_non_null(reader);
  if (ledger_reader_finding(reader, &finding, &failure))
    fail_msg("%s: %s", finding.code, finding.detail);
  assert_null(failure.kind);
  ledger_reader_close(reader);
}

static inline void assert_sums(const char *name, double reserved,
                               double spent) {
  sqlite3 *db = look();
  Tenant tenant = tenant_in(db, name);
  assert_true(tenant.found);
  check(tenant.reserved == reserved && tenant.spent == spent,
        "%s: %g reserved, %g spent", name, tenant.reserved, tenant.spent);
  sqlite3_close(db);
  assert_sound();
}

static inline bool is_one_of(const char *word, const char *const *words) {
  for (; *words; words++)
    if (strcmp(word, *words) == 0)
      return true;
  return false;
}

/* Adds what a row costs. */
static inline void judge(const char *state, const char *charged, double cost,
                         Tenant *sums) {
  static const char *const settled[] = {"succeeded", "failed",    "refused",
                                        "unsent",    "cancelled", "abandoned",
                                        NULL};
  static const char *const free[] = {"no", "refund_expected", NULL};
  if (!is_one_of(state, settled))
    sums->reserved += cost;
  else if (!is_one_of(charged, free))
    sums->spent += cost;
}

/* All that the rows of a tenant say. */
static inline Tenant judged(sqlite3 *db, const char *name) {
  Tenant sums = {.found = true};
  sqlite3_stmt *row = ask(db,
                          "SELECT state, charged, cost FROM jobs WHERE tenant "
                          "= ?1 AND tenant <> ''",
                          name);
  while (sqlite3_step(row) == SQLITE_ROW)
    judge((const char *)sqlite3_column_text(row, 0),
          (const char *)sqlite3_column_text(row, 1),
          sqlite3_column_double(row, 2), &sums);
  sqlite3_finalize(row);
  return sums;
}

static inline void check_sums(sqlite3 *db, const char *name, const char *what) {
  Tenant said = tenant_in(db, name), sums = judged(db, name);
  check(said.reserved == sums.reserved && said.spent == sums.spent,
        "%s, %s: %g reserved and %g spent, by its rows %g and %g", what, name,
        said.reserved, said.spent, sums.reserved, sums.spent);
  check(said.reserved + said.spent <= said.budget, "%s, %s: over its budget",
        what, name);
}

/* ---- doing ---- */

static inline void set_budget(Ledger *ledger, const char *name, double budget) {
  TenantChange change = {.has_budget = true, .budget = budget};
  Failure failure = {0};
  check(ledger_change_tenant(ledger, name, &change, &failure), "%s",
        failure.detail ? failure.detail : name);
}

static inline bool intend_for(Ledger *ledger, const char *key,
                              const char *tenant, const char **code) {
  LedgerEntry entry = entry_for(key);
  Failure failure = {0};
  bool done;
  entry.tenant = tenant;
  entry.next_id = "next";
  done = ledger_intend(ledger, &entry, false, &failure);
  if (!done)
    assert_non_null(failure.code);
  if (!done && strstr(failure.code, "tenant"))
    assert_string_equal(failure.kind, "budget");
  *code = done ? "" : failure.code;
  failure.code = NULL;
  failure_clear(&failure);
  return done;
}

static inline void assert_intended(Ledger *ledger, const char *key,
                                   const char *tenant, const char *expected) {
  const char *code;
  intend_for(ledger, key, tenant, &code);
  assert_string_equal(code, expected);
}

static inline void tell(Ledger *ledger, const char *key, const char *state,
                        const char *charged) {
  ledger_tell(ledger, key, &(LedgerNews){.state = state, .charged = charged});
  flush(ledger);
}

#endif
