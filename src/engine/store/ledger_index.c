/* The indexes of a ledger's file: see ledger_index.h. */
#include "ledger_index.h"

#include <stddef.h>
#include <stdio.h>

/* Those by state, id and tenant hold the time as well, so that what they find
 * is in order.  Jobs of no tenant have no place in the last two, which cost
 * them nothing. */
static const char make[] =
    "DROP INDEX IF EXISTS jobs_by_state;" /* as they were at first */
    "DROP INDEX IF EXISTS jobs_by_id;"
    "CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (created_at);"
    "CREATE INDEX IF NOT EXISTS jobs_by_state_and_time"
    " ON jobs (state, created_at);"
    "CREATE INDEX IF NOT EXISTS jobs_by_id_and_time"
    " ON jobs (job_id, created_at);"
    "CREATE INDEX IF NOT EXISTS jobs_by_tenant_and_time"
    " ON jobs (tenant, created_at) WHERE tenant <> '';"
    "CREATE INDEX IF NOT EXISTS jobs_by_tenant_state_and_time"
    " ON jobs (tenant, state, created_at) WHERE tenant <> '';";

const char ledger_index_count[] =
    "SELECT count(*) FROM sqlite_master WHERE type = 'index'"
    " AND tbl_name = 'jobs' AND name IN ('jobs_by_time',"
    " 'jobs_by_state_and_time', 'jobs_by_id_and_time',"
    " 'jobs_by_tenant_and_time', 'jobs_by_tenant_state_and_time')";

/* A column that an index or the table itself is ordered by, and of what rows.
 */
static const char *const ends[][2] = {
    {"rowid", "jobs"},
    {"key", "jobs"},
    {"created_at", "jobs"},
    {"state", "jobs"},
    {"job_id", "jobs"},
    {"rowid", "bodies"},
    {"key", "bodies"},
    {"rowid", "files"},
    {"key", "files"},
    {"rowid", "meta"},
    {"name", "meta"},
    {"id", "tenants"},
    {"tenant", "jobs INDEXED BY jobs_by_tenant_and_time WHERE tenant <> ''"},
    {"tenant",
     "jobs INDEXED BY jobs_by_tenant_state_and_time WHERE tenant <> ''"},
};

int ledger_index_look(sqlite3 *db) {
  char sql[320];
  int code = SQLITE_OK;
  for (size_t i = 0; i < sizeof ends / sizeof *ends && code == SQLITE_OK; i++) {
    snprintf(sql, sizeof sql,
             "SELECT (SELECT min(%s) FROM %s), (SELECT max(%s) FROM %s)",
             ends[i][0], ends[i][1], ends[i][0], ends[i][1]);
    code = sqlite3_exec(db, sql, NULL, NULL, NULL);
  }
  return code;
}

int ledger_index_make(sqlite3 *db) {
  return sqlite3_exec(db, make, NULL, NULL, NULL);
}
