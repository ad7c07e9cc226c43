/*
 * How long a ledger's connection waits for locks of others.
 *
 * All jobs of the engine wait with it.  So it is short, and the ledger counts
 * as down where that was not enough: it is tried again, see job_record.c.
 * Private to the ledger's files.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_PATIENCE_H
#define GPTIMAGE2_ENGINE_LEDGER_PATIENCE_H

#include <sqlite3.h>

/* The name of a VFS for sqlite3_open_v2: the system's, but for the pauses of
 * SQLite's own between attempts at a lock for reading, which add up to ten
 * seconds and are a tenth of a second here.  NULL = there is only the system's.
 * Any thread. */
const char *ledger_patience_vfs(void);

/* A lock that another connection has is waited for so many milliseconds, from
 * now on; in place of sqlite3_busy_timeout, which counts on those pauses. */
void ledger_patience_set(sqlite3 *db, int milliseconds);

#endif
