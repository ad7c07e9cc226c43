/*
 * The lock of a ledger: one process, and in it one client, spends on a ledger
 * at a time.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_LOCK_H
#define GPTIMAGE2_ENGINE_LEDGER_LOCK_H

#include "failure.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct LedgerLock {
  int fd; /* of "<path>.lock", -1 = not held */
  dev_t device;
  ino_t inode;
  struct LedgerLock *next; /* in the list of this process's locks */
} LedgerLock;

/* Takes the lock, without waiting.  False with ledger/ledger_locked when
 * somebody has it. */
bool ledger_lock(LedgerLock *lock, const char *path, Failure *failure);

void ledger_unlock(LedgerLock *lock);

#endif
