/*
 * Whose jobs are in a ledger: the name of an account, which tells API keys
 * apart and does not give them away.  Private to the ledger's files.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_ACCOUNT_H
#define GPTIMAGE2_ENGINE_LEDGER_ACCOUNT_H

#include "engine/base/failure.h"
#include "ledger_entry.h"

#include <sqlite3.h>

/* `name` gets what the options say: the account as it is, or else "sha256:" and
 * the digest of the ledger's salt and the API key; NULL where they say neither.
 * To be freed by the caller.  The salt is made where there is none.  False with
 * `failure`. */
bool ledger_account_name(sqlite3 *db, const LedgerOptions *options, char **name,
                         Failure *failure);

#endif
