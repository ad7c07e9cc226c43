/*
 * A ledger from the inside: the file, its open transaction, and whether it is
 * down.  Private to the ledger's files; I/O thread.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_STATE_H
#define GPTIMAGE2_ENGINE_LEDGER_STATE_H

#include "engine/store/ledger_file.h"
#include "engine/store/ledger_lock.h"
#include "ledger.h"
#include "ledger_notes.h"
#include "ledger_sql.h"

/* Milliseconds for which the I/O thread, and with it every job, waits for
 * somebody who has the file locked; and for the last time. */
#define LEDGER_BUSY 20
#define LEDGER_BUSY_LAST 2000

struct Ledger {
  char *path; /* absolute */
  char file[LEDGER_FILE_ID];
  char *account; /* NULL = none */
  sqlite3 *db;
  LedgerLock *lock; /* NULL: it has ended, with the process */
  char
      worker[LEDGER_WORKER_MAX]; /* the owner of its rows; "" = none is named */
  sqlite3_stmt *statements[STATEMENTS];
  bool open;         /* a transaction is */
  bool counts;       /* what tenants spend: there are some */
  bool broken;       /* for good */
  bool busy;         /* it is down since somebody else wrote to it */
  bool made;         /* the file was not there before */
  Failure moved;     /* its file is not where it was; kind NULL = it is */
  Failure trouble;   /* why it is down; kind NULL = it is not */
  LedgerNotes notes; /* told, and not durable */
  LedgerNote *left;  /* the first of those that is not in the transaction */
  Ledger *next_open; /* of all that this process has open */
};

/* A transaction is open.  False when the ledger is down. */
bool ledger_begin(Ledger *ledger);

/* It could not be written, as SQLite says: it is down from now on, and what was
 * in the transaction is left to be written again.  Always false. */
bool ledger_fail(Ledger *ledger);

/* What says that the file, not the machine or somebody else, is in the way. */
bool ledger_is_final(int code);

#endif
