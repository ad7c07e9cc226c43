/*
 * The tenants in a ledger's file: what each has reserved and spent, kept with
 * every change of a row of its jobs, in the same transaction.
 *
 * A job's price is reserved from its intent on.  While it is not settled (see
 * ledger_schema.c) it stays so, whatever is thought of it.  Then it is given
 * back where `charged` says "no" or "refund_expected", and is spent where it
 * says anything else.
 *
 * Private to the ledger's files; whichever thread has the connection.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_TENANT_H
#define GPTIMAGE2_ENGINE_LEDGER_TENANT_H

#include "tenant.h"

#include <sqlite3.h>

/* From now on all that this connection does to jobs is counted.  A job that its
 * tenant cannot pay for, or whose tenant is not there, is not inserted:
 * SQLITE_CONSTRAINT.  Outside of a transaction, whose end might undo it.  A
 * SQLite code. */
int ledger_tenant_count(sqlite3 *db);

/* The same where there are tenants, which `counts` tells: without them it would
 * only take time.  A SQLite code. */
int ledger_tenant_count_any(sqlite3 *db, bool *counts);

/* Makes it, or changes it: SQLITE_CONSTRAINT where it has more reserved and
 * spent than the budget.  SQLITE_DONE, or a SQLite code. */
int ledger_tenant_change(sqlite3 *db, const char *name,
                         const TenantChange *change);

/* SQLITE_ROW, SQLITE_DONE when there is none, or what went wrong. */
int ledger_tenant_look(sqlite3 *db, const char *name, Tenant *tenant);

/* The same for the one whose name comes next, which is put in its place. */
int ledger_tenant_after(sqlite3 *db, char name[TENANT_NAME_MAX + 1],
                        Tenant *tenant);

/* Questions of an audit, which give keys and details: the tenants whose sums
 * are not those of their rows, and those that have rows and are not there. */
extern const char ledger_tenant_wrong[];
extern const char ledger_tenant_missing[];

#endif
