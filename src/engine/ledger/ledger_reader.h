/*
 * Reading a ledger: for history and recovery.  Beside any writer, on a
 * connection of its own; the thread that opened a reader uses it.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_READER_H
#define GPTIMAGE2_ENGINE_LEDGER_READER_H

#include "engine/base/failure.h"
#include "engine/store/ledger_claim.h"
#include "engine/store/ledger_finding.h"
#include "engine/store/tenant.h"
#include "ledger_filter.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct LedgerReader LedgerReader;

/* One row.  Texts are the reader's, until the next one; NULL where empty. */
typedef struct LedgerRow {
  const char *key, *state, *charged, *base_url, *mode, *prompt, *ratio;
  const char *metadata, *job_id, *error, *account, *attempt_id, *tenant;
  const char *owner;
  const char *body, *answer, *result;
  size_t body_length, answer_length, result_length;
  double created_at, updated_at;
  int count, cost, attempts, status;
} LedgerRow;

/* NULL with a failure of kind ledger. */
LedgerReader *ledger_reader_open(const char *path, const LedgerFilter *filter,
                                 Failure *failure);

/* False at the end, and with a failure where the file, or what was asked of the
 * last row's files, cannot be read. */
bool ledger_reader_next(LedgerReader *reader, LedgerRow *row, Failure *failure);

/* The row with that key, by a reader whose filter has one; what it has found
 * before is not needed any more.  False where there is none, and with a failure
 * as above. */
bool ledger_reader_find(LedgerReader *reader, const char *key, LedgerRow *row,
                        Failure *failure);

/* The files saved of the job with this key: the n-th call, from 1, gives the
 * n-th path (NULL = no more), valid until the next. */
const char *ledger_reader_file(LedgerReader *reader, const char *key,
                               unsigned n);

/* The next thing that is wrong with the file as a whole; all of it is read for
 * that.  False at the end, and with a failure as above. */
bool ledger_reader_finding(LedgerReader *reader, LedgerFinding *finding,
                           Failure *failure);

/* Whether the owner of a row lives, in another process than this one, which
 * spends on the same ledger.  False where it does not. */
bool ledger_reader_is_at_work(const LedgerReader *reader, const char *worker);

/* The version of its tables. */
int ledger_reader_version(const LedgerReader *reader);

/* Looks at a tenant, which may not be there.  False with a failure. */
bool ledger_reader_tenant(LedgerReader *reader, const char *name,
                          Tenant *tenant, Failure *failure);

/* Looks at the tenant whose name comes behind `name` ("" is before all), and
 * puts its name there.  False where there is none, and with a failure as above.
 */
bool ledger_reader_next_tenant(LedgerReader *reader,
                               char name[TENANT_NAME_MAX + 1], Tenant *tenant,
                               Failure *failure);

void ledger_reader_close(LedgerReader *reader);

#endif
