/* The tenants in a ledger's file: see ledger_tenant.h. */
#include "ledger_tenant.h"

#include <stddef.h>
#include <stdio.h>

#define IS_OPEN(row) row ".state IN ('intent', 'sent', 'accepted', 'unknown')"
#define IS_FREE(row) row ".charged IN ('no', 'refund_expected')"

#define RESERVED(row) "CASE WHEN " IS_OPEN(row) " THEN " row ".cost ELSE 0 END"
#define SPENT(row)                                                             \
  "CASE WHEN " IS_OPEN(row) " OR " IS_FREE(row) " THEN 0 ELSE " row ".cost "   \
                                                "END"

/* Of the tenant whose row changes; what a damaged one lacks is nothing less
 * than 0. */
#define RESERVED_NOW                                                           \
  "max(0, reserved - " RESERVED("old") " + " RESERVED("new") ")"
#define SPENT_NOW "max(0, spent - " SPENT("old") " + " SPENT("new") ")"

/* They are this connection's, and no part of the file: who looks at that with
 * other tools is not held to them, and what stands in a file is never run.
 *
 * That a job which was said to have failed has succeeded after all is a fact,
 * which no budget may keep out of the ledger: the budget is then what was
 * spent, and there is nothing left of it. */
static const char count[] =
    "PRAGMA temp_store = MEMORY;"
    "CREATE TEMP TRIGGER tenant_reserves AFTER INSERT ON main.jobs"
    " WHEN new.tenant <> '' BEGIN"
    " SELECT RAISE(ABORT, 'there is no such tenant')"
    "  WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE id = new.tenant);"
    " UPDATE tenants SET reserved = reserved + new.cost"
    "  WHERE id = new.tenant;"
    "END;"
    "CREATE TEMP TRIGGER tenant_settles AFTER UPDATE OF state, charged"
    " ON main.jobs WHEN new.tenant <> ''"
    "  AND (old.state <> new.state OR old.charged <> new.charged) BEGIN"
    " UPDATE tenants SET reserved = " RESERVED_NOW ", spent = " SPENT_NOW ","
    "  budget = max(budget, " RESERVED_NOW " + " SPENT_NOW ")"
    "  WHERE id = new.tenant;"
    "END;";

const char ledger_tenant_wrong[] =
    "SELECT NULL, printf('tenant ''%s'' has reserved %.15g and spent %.15g, and"
    " its rows %d and %d', id, tenants.reserved, tenants.spent,"
    " ifnull(rows.reserved, 0), ifnull(rows.spent, 0))"
    " FROM tenants LEFT JOIN (SELECT tenant, sum(" RESERVED(
        "jobs") ")"
                " AS reserved, sum(" SPENT(
                    "jobs") ") AS spent FROM jobs"
                            " WHERE tenant <> '' GROUP BY tenant) AS rows ON "
                            "rows.tenant = id"
                            " WHERE tenants.reserved <> ifnull(rows.reserved, "
                            "0)"
                            " OR tenants.spent <> ifnull(rows.spent, 0)";

const char ledger_tenant_missing[] =
    "SELECT max(key), printf('tenant ''%s'' of %d jobs', tenant, count(*))"
    " FROM jobs WHERE tenant <> '' AND tenant NOT IN (SELECT id FROM tenants)"
    " GROUP BY tenant";

int ledger_tenant_count(sqlite3 *db) {
  return sqlite3_exec(db, count, NULL, NULL, NULL);
}

int ledger_tenant_count_any(sqlite3 *db, bool *counts) {
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2(db, "SELECT 1 FROM tenants LIMIT 1", -1,
                                &statement, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_step(statement);
  *counts = code == SQLITE_ROW;
  sqlite3_finalize(statement);
  if (*counts)
    return ledger_tenant_count(db);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int prepare(sqlite3 *db, const char *sql, const char *name,
                   sqlite3_stmt **statement) {
  int code = sqlite3_prepare_v2(db, sql, -1, statement, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_bind_text(*statement, 1, name, -1, SQLITE_STATIC);
  return code;
}

#define ROWS_SUM(what)                                                         \
  "(SELECT ifnull(sum(" what "), 0) FROM jobs WHERE tenant = ?1)"

/* One that is made anew, where somebody took it out, has what its rows say. */
static const char change_sql[] =
    "INSERT INTO tenants (id, budget, weight, reserved, spent)"
    " VALUES (?1, ?3, coalesce(?4, 1), " ROWS_SUM(RESERVED(
        "jobs")) ", " ROWS_SUM(SPENT("jobs")) ")"
                                              " ON CONFLICT (id) DO UPDATE SET"
                                              " budget = CASE WHEN ?2 THEN ?3 "
                                              "ELSE budget END,"
                                              " weight = coalesce(?4, weight)";

int ledger_tenant_change(sqlite3 *db, const char *name,
                         const TenantChange *change) {
  sqlite3_stmt *statement = NULL;
  int code = prepare(db, change_sql, name, &statement);
  if (code == SQLITE_OK) {
    sqlite3_bind_int(statement, 2, change->has_budget);
    if (change->has_budget && change->budget < (double)INFINITY)
      sqlite3_bind_double(statement, 3, change->budget);
    if (change->weight > 0)
      sqlite3_bind_double(statement, 4, change->weight);
    code = sqlite3_step(statement);
  }
  sqlite3_finalize(statement);
  return code;
}

static void read_tenant(sqlite3_stmt *row, Tenant *tenant) {
  bool limited = sqlite3_column_type(row, 0) != SQLITE_NULL;
  *tenant = (Tenant){.found = true,
                     .budget = limited ? sqlite3_column_double(row, 0)
                                       : (double)INFINITY,
                     .reserved = sqlite3_column_double(row, 1),
                     .spent = sqlite3_column_double(row, 2),
                     .weight = sqlite3_column_double(row, 3)};
}

#define COLUMNS "SELECT budget, reserved, spent, weight, id FROM tenants"

int ledger_tenant_look(sqlite3 *db, const char *name, Tenant *tenant) {
  sqlite3_stmt *statement = NULL;
  int code = prepare(db, COLUMNS " WHERE id = ?1", name, &statement);
  *tenant = (Tenant){.found = false};
  if (code == SQLITE_OK)
    code = sqlite3_step(statement);
  if (code == SQLITE_ROW)
    read_tenant(statement, tenant);
  sqlite3_finalize(statement);
  return code;
}

/* Names that somebody else wrote there, and that no tenant can have, are passed
 * over: behind such a one it would not go on. */
#define NEXT_NAME                                                              \
  " WHERE id > ?1 AND typeof(id) = 'text' AND instr(id, char(0)) = 0"          \
  " AND length(CAST(id AS BLOB)) <= ?2 ORDER BY id LIMIT 1"

int ledger_tenant_after(sqlite3 *db, char name[TENANT_NAME_MAX + 1],
                        Tenant *tenant) {
  sqlite3_stmt *statement = NULL;
  int code = prepare(db, COLUMNS NEXT_NAME, name, &statement);
  *tenant = (Tenant){.found = false};
  if (code == SQLITE_OK)
    code = sqlite3_bind_int(statement, 2, TENANT_NAME_MAX);
  if (code == SQLITE_OK)
    code = sqlite3_step(statement);
  if (code == SQLITE_ROW) {
    const char *id = (const char *)sqlite3_column_text(statement, 4);
    read_tenant(statement, tenant);
    snprintf(name, TENANT_NAME_MAX + 1, "%s", id ? id : "");
  }
  sqlite3_finalize(statement);
  return code;
}
