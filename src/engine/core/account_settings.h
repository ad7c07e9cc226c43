/*
 * An account as the host sees it: the settings of one client.  A part of the
 * door (engine.h); what is in it, account.h says.
 */
#ifndef GPTIMAGE2_ENGINE_ACCOUNT_SETTINGS_H
#define GPTIMAGE2_ENGINE_ACCOUNT_SETTINGS_H

#include "engine/http/service_settings.h"
#include "engine/ledger/ledger.h"
#include "engine/polls/poll_book.h"
#include "engine/rules/job_state.h"

#include <stdbool.h>

typedef struct Account Account;

/* Texts are copied.  Times in seconds. */
typedef struct AccountSettings {
  ServiceSettings service;
  double request_timeout;
  JobRules state;
  unsigned max_active;      /* unfinished jobs at the service at once */
  unsigned max_connections; /* 1 to CONNECTIONS_MAX: see limits.h */
  bool allow_private_references;
  bool learns;       /* when to poll; else state.poll says so */
  double poll_share; /* of the polls that are known to be enough */
} AccountSettings;

/* An account with one reference, which takes over `ledger` (NULL = none); NULL
 * when memory runs out, and the ledger is closed then.  Host's thread. */
Account *account_new(const AccountSettings *settings, Ledger *ledger);

/* The key alone, for finding it in texts that must not show it.  Host's or I/O
 * thread: it never changes. */
const char *account_api_key(const Account *account);

/* Whether it has a ledger.  Host's or I/O thread: that never changes. */
bool account_has_ledger(const Account *account);

/* Seconds from `age` on until of the jobs of this class (poll_book.h) that are
 * as old only `chance` still run; NAN where nothing is known, or the job is
 * older than what is.  Host's or I/O thread. */
double account_expect(const Account *account, unsigned class, double age,
                      double chance);

/* Gives a reference back; the last one frees the account and wipes the key. */
void account_drop(Account *account);

#endif
