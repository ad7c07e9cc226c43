/*
 * The ledger of a build without SQLite or libsodium: opening one says so, and
 * nothing else is ever called.  Compiled in place of the ledger's own files.
 */
#include "ledger.h"
#include "ledger_reader.h"

#include <stddef.h>

/* Names what was missing when this was built. */
#ifndef GPTIMAGE2_LEDGER_MISSING
#define GPTIMAGE2_LEDGER_MISSING "SQLite or libsodium"
#endif

static void refuse(Failure *failure) {
  failure_set(failure, "ledger", "ledger_unsupported",
              "this gptimage2 has no ledger: it was built "
              "without " GPTIMAGE2_LEDGER_MISSING);
}

Ledger *ledger_open_as(const char *path, const LedgerOptions *options,
                       Failure *failure) {
  (void)path, (void)options;
  refuse(failure);
  return NULL;
}

const char *ledger_path(const Ledger *ledger) {
  (void)ledger;
  return NULL;
}

const char *ledger_file_of(const Ledger *ledger) {
  (void)ledger;
  return NULL;
}

const char *ledger_account(const Ledger *ledger) {
  (void)ledger;
  return NULL;
}

const char *ledger_worker(const Ledger *ledger) {
  (void)ledger;
  return "";
}

unsigned ledger_durations(Ledger *ledger, const char *base_url,
                          LedgerDuration *found, unsigned most) {
  (void)ledger, (void)base_url, (void)found, (void)most;
  return 0;
}

bool ledger_may_spend(Ledger *ledger, Failure *failure) {
  (void)ledger;
  refuse(failure);
  return false;
}

void ledger_close(Ledger *ledger) {
  (void)ledger;
}

void ledger_end_all(void) {}

bool ledger_intend(Ledger *ledger, const LedgerEntry *entry, bool again,
                   Failure *failure) {
  (void)ledger, (void)entry, (void)again;
  refuse(failure);
  return false;
}

void ledger_tell(Ledger *ledger, const char *key, const LedgerNews *news) {
  (void)ledger, (void)key, (void)news;
}

void ledger_save_file(Ledger *ledger, const char *key, unsigned n,
                      const char *path) {
  (void)ledger, (void)key, (void)n, (void)path;
}

bool ledger_permit(Ledger *ledger, const char *key, const LedgerSend *send,
                   Failure *failure) {
  (void)ledger, (void)key, (void)send;
  refuse(failure);
  return false;
}

bool ledger_has_other(Ledger *ledger, const char *base_url, const char *id,
                      const char *key) {
  (void)ledger, (void)base_url, (void)id, (void)key;
  return false;
}

bool ledger_look(Ledger *ledger, const char *key, LedgerStand *stand) {
  (void)ledger, (void)key;
  *stand = (LedgerStand){0};
  return false;
}

bool ledger_settle(Ledger *ledger, const char *key, const LedgerNews *news,
                   Failure *failure) {
  (void)ledger, (void)key, (void)news;
  refuse(failure);
  return false;
}

bool ledger_change_tenant(Ledger *ledger, const char *name,
                          const TenantChange *change, Failure *failure) {
  (void)ledger, (void)name, (void)change;
  refuse(failure);
  return false;
}

bool ledger_flush(Ledger *ledger, Failure *failure) {
  (void)ledger;
  refuse(failure);
  return false;
}

bool ledger_is_down(const Ledger *ledger) {
  (void)ledger;
  return true;
}

bool ledger_is_busy(const Ledger *ledger) {
  (void)ledger;
  return false;
}

bool ledger_is_broken(const Ledger *ledger) {
  (void)ledger;
  return true;
}

void ledger_why(const Ledger *ledger, Failure *failure) {
  (void)ledger;
  refuse(failure);
}

bool ledger_restart(Ledger *ledger, bool last) {
  (void)ledger, (void)last;
  return false;
}

LedgerReader *ledger_reader_open(const char *path, const LedgerFilter *filter,
                                 Failure *failure) {
  (void)path, (void)filter;
  refuse(failure);
  return NULL;
}

bool ledger_reader_next(LedgerReader *reader, LedgerRow *row,
                        Failure *failure) {
  (void)reader, (void)row;
  refuse(failure);
  return false;
}

bool ledger_reader_find(LedgerReader *reader, const char *key, LedgerRow *row,
                        Failure *failure) {
  (void)reader, (void)key, (void)row;
  refuse(failure);
  return false;
}

const char *ledger_reader_file(LedgerReader *reader, const char *key,
                               unsigned n) {
  (void)reader, (void)key, (void)n;
  return NULL;
}

bool ledger_reader_finding(LedgerReader *reader, LedgerFinding *finding,
                           Failure *failure) {
  (void)reader, (void)finding;
  refuse(failure);
  return false;
}

bool ledger_reader_is_at_work(const LedgerReader *reader, const char *worker) {
  (void)reader, (void)worker;
  return false;
}

bool ledger_claim(const LedgerPlace *place, const char *worker,
                  LedgerClaim *claims, size_t count, Failure *failure) {
  (void)place, (void)worker, (void)claims, (void)count;
  refuse(failure);
  return false;
}

int ledger_reader_version(const LedgerReader *reader) {
  (void)reader;
  return 0;
}

bool ledger_reader_tenant(LedgerReader *reader, const char *name,
                          Tenant *tenant, Failure *failure) {
  (void)reader, (void)name;
  *tenant = (Tenant){.found = false};
  refuse(failure);
  return false;
}

bool ledger_reader_next_tenant(LedgerReader *reader,
                               char name[TENANT_NAME_MAX + 1], Tenant *tenant,
                               Failure *failure) {
  (void)reader, (void)name, (void)tenant;
  refuse(failure);
  return false;
}

void ledger_reader_close(LedgerReader *reader) {
  (void)reader;
}
