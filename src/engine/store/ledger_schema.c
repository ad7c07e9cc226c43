/* The tables of a ledger file: see ledger_schema.h. */
#include "ledger_schema.h"

#include "ledger_index.h"

#include <stdio.h>

#if defined(SQLITE_VERSION_NUMBER) && SQLITE_VERSION_NUMBER < 3031000
#error "SQLite 3.31 or newer is needed, for generated columns"
#endif

/* jobs.state:
 *   intent     recorded, not sent       accepted   the service has it
 *   sent       about to be, or sent     succeeded  pictures are there
 *   unknown    sent, nobody knows       failed     the service says failed
 *   refused    the service said no      unsent     given up before sending
 *   cancelled  the host gave it up      abandoned  settled by hand
 * Unfinished are intent, sent, accepted and unknown.
 *
 * pad keeps a long row at one length while its other columns change: SQLite
 * then writes over the page that changed, and not all of the prompt and the
 * metadata once more.  For that the two come last.  A row that outgrows it is
 * only slower.
 *
 * bodies has the request in a row of its own, written once, and the two answers
 * in another.
 *
 * account is NULL in rows that an older version wrote; seconds is how long the
 * job took, where that is known (ledger_durations.c).  tenant is '' for a job
 * of nobody's; what the table tenants says of one follows from its jobs
 * (ledger_tenant.h).  owner, owner_epoch, due_at, priority and vtime are for
 * ledgers that several workers share: nothing reads them yet. */
static const char tables[] =
    "CREATE TABLE jobs ("
    " key TEXT PRIMARY KEY NOT NULL,"
    " state TEXT NOT NULL,"
    " charged TEXT NOT NULL DEFAULT 'no',"
    " created_at REAL NOT NULL,"
    " updated_at REAL NOT NULL,"
    " base_url TEXT NOT NULL,"
    " account TEXT,"
    " mode TEXT, ratio TEXT,"
    " count INTEGER NOT NULL, cost INTEGER NOT NULL,"
    " job_id TEXT,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " http_status INTEGER,"
    " error TEXT,"
    " seconds REAL,"
    " tenant TEXT NOT NULL DEFAULT '',"
    " owner TEXT,"
    " owner_epoch INTEGER,"
    " attempt_id TEXT,"
    " due_at REAL,"
    " priority INTEGER NOT NULL DEFAULT 0,"
    " pad BLOB GENERATED ALWAYS AS (CASE"
    "  WHEN ifnull(length(prompt), 0) + ifnull(length(metadata), 0) > 800 THEN"
    "  zeroblob(max(0, 640 - length(state) - length(charged)"
    "  - ifnull(length(job_id) + (length(job_id) > 57), 0)"
    "  - ifnull(length(error) + (length(error) > 57), 0)"
    "  - ifnull(length(owner) + (length(owner) > 57), 0)"
    "  - ifnull(length(attempt_id) + (length(attempt_id) > 57), 0)"
    "  - 2 * (http_status IS NOT NULL) - (attempts > 1)"
    "  - 8 * (due_at IS NOT NULL) - 8 * (seconds IS NOT NULL))) END) STORED,"
    " prompt TEXT, metadata TEXT);"
    "CREATE TABLE bodies ("
    " key TEXT NOT NULL REFERENCES jobs (key),"
    " body BLOB, answer BLOB, result BLOB);"
    "CREATE UNIQUE INDEX bodies_by_key ON bodies (key, (body IS NULL));"
    "CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, value);"
    "CREATE TABLE tenants ("
    " id TEXT PRIMARY KEY NOT NULL,"
    " budget REAL,"
    " reserved REAL NOT NULL DEFAULT 0,"
    " spent REAL NOT NULL DEFAULT 0,"
    " weight REAL NOT NULL DEFAULT 1,"
    " vtime REAL NOT NULL DEFAULT 0,"
    " CHECK (reserved >= 0 AND spent >= 0"
    "  AND (budget IS NULL OR reserved + spent <= budget)));"
    "CREATE VIEW spending AS SELECT"
    " datetime(created_at, 'unixepoch') AS created, state, charged, cost,"
    " metadata, prompt, job_id, key FROM jobs ORDER BY created_at;";

static const char files_table[] = "CREATE TABLE files ("
                                  " key TEXT NOT NULL REFERENCES jobs (key),"
                                  " n INTEGER NOT NULL,"
                                  " path TEXT NOT NULL,"
                                  " saved_at REAL NOT NULL,"
                                  " PRIMARY KEY (key, n, path));";

/* The old names are in the way of the new. */
static const char set_version_1_aside[] =
    "DROP VIEW IF EXISTS spending;"
    "ALTER TABLE jobs RENAME TO jobs_of_version_1;";

/* rowid is the order of rows made in the same moment. */
static const char take_over_version_1[] =
    "INSERT INTO jobs (rowid, key, state, charged, created_at, updated_at,"
    " base_url, mode, ratio, count, cost, job_id, attempts, http_status,"
    " error, prompt, metadata)"
    " SELECT rowid, key, state, charged, created_at, updated_at, base_url,"
    " mode, ratio, count, cost, job_id, attempts, http_status, error, prompt,"
    " metadata FROM jobs_of_version_1 ORDER BY rowid;"
    "INSERT INTO bodies (key, body)"
    " SELECT key, body FROM jobs_of_version_1 ORDER BY rowid;"
    "INSERT INTO bodies (key, answer, result)"
    " SELECT key, answer, result FROM jobs_of_version_1"
    " WHERE answer IS NOT NULL OR result IS NOT NULL ORDER BY rowid;"
    "DROP TABLE jobs_of_version_1;";

const char schema_count_tables[] =
    "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN"
    " ('jobs', 'files', 'bodies', 'meta', 'tenants')";

int schema_tables(sqlite3_int64 version) {
  return version == 1 ? 2 : 5;
}

static int run(sqlite3 *db, const char *sql) {
  return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int set_pragma(sqlite3 *db, const char *name, int value) {
  char sql[64];
  snprintf(sql, sizeof sql, "PRAGMA %s = %d", name, value);
  return run(db, sql);
}

static int build(sqlite3 *db, sqlite3_int64 version) {
  int code;
  if (version == SCHEMA_VERSION)
    return ledger_index_make(db);
  code = run(db, version == 1 ? set_version_1_aside : files_table);
  if (code == SQLITE_OK)
    code = run(db, tables);
  if (code == SQLITE_OK && version == 1)
    code = run(db, take_over_version_1);
  if (code == SQLITE_OK)
    code = ledger_index_make(db);
  if (code == SQLITE_OK)
    code = set_pragma(db, "application_id", APPLICATION_ID);
  if (code == SQLITE_OK)
    code = set_pragma(db, "user_version", SCHEMA_VERSION);
  return code;
}

/* A table is renamed as it was always done: what others made of it (a view of
 * the user's) names the new one afterwards. */
int schema_make(sqlite3 *db, sqlite3_int64 version) {
  int code = run(db, "BEGIN IMMEDIATE");
  if (code != SQLITE_OK)
    return code;
  sqlite3_db_config(db, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 1, NULL);
  code = build(db, version);
  sqlite3_db_config(db, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 0, NULL);
  if (code == SQLITE_OK)
    code = run(db, "COMMIT");
  if (code != SQLITE_OK)
    run(db, "ROLLBACK");
  return code;
}
