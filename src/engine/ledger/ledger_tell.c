/* What becomes of jobs and tenants: written, and made durable.  See ledger.h.
 */
#include "engine/base/clock.h"
#include "engine/store/ledger_patience.h"
#include "engine/store/ledger_tenant.h"
#include "ledger_bind.h"
#include "ledger_state.h"

/* The answers go to a table of their own. */
static bool tell_answers(Ledger *ledger, const char *key,
                         const LedgerNews *news) {
  sqlite3_stmt *statement =
      ledger->statements[key ? ANSWER_BY_KEY : ANSWER_BY_ID];
  if (!news->answer && !news->result)
    return true;
  ledger_bind_text(statement, 1, key ? key : news->job_id);
  ledger_bind_blob(statement, 2, news->answer, news->answer_length);
  ledger_bind_blob(statement, 3, news->result, news->result_length);
  sqlite3_bind_int(statement, 4, news->failed);
  sqlite3_bind_int(statement, 7, news->job_id != NULL);
  if (!key) {
    ledger_bind_text(statement, 5, news->base_url);
    ledger_bind_text(statement, 6, ledger->account);
  }
  return ledger_finish(statement) == SQLITE_DONE;
}

static bool write_news(Ledger *ledger, const char *key,
                       const LedgerNews *news) {
  sqlite3_stmt *statement = ledger->statements[key ? TELL_BY_KEY : TELL_BY_ID];
  ledger_bind_text(statement, 1, key ? key : news->job_id);
  ledger_bind_text(statement, 2, news->state);
  ledger_bind_text(statement, 3, news->charged);
  ledger_bind_text(statement, 4, news->job_id);
  ledger_bind_text(statement, 5, news->error);
  sqlite3_bind_int(statement, 6, (int)news->attempts);
  if (news->status)
    sqlite3_bind_int(statement, 7, news->status);
  sqlite3_bind_double(statement, 8, clock_wall());
  ledger_bind_text(statement, 9, key ? news->attempt_id : news->base_url);
  ledger_bind_text(statement, 10, key ? news->next_id : ledger->account);
  ledger_bind_text(statement, 11, news->account);
  sqlite3_bind_int(statement, 12, key && news->attempt_id);
  sqlite3_bind_int(statement, 16, news->parts);
  ledger_bind_text(statement, 17, ledger_worker(ledger));
  if (news->seconds > 0)
    sqlite3_bind_double(statement, 15, news->seconds);
  if (key) {
    ledger_bind_text(statement, 13, news->seen_id);
    sqlite3_bind_int(statement, 14, news->seen_maybe_charged);
  }
  return ledger_finish(statement) == SQLITE_DONE &&
         tell_answers(ledger, key, news);
}

static bool write_file(Ledger *ledger, const LedgerNote *note) {
  sqlite3_stmt *statement = ledger->statements[SAVE_FILE];
  ledger_bind_text(statement, 1, note->key);
  sqlite3_bind_int(statement, 2, (int)note->n);
  ledger_bind_text(statement, 3, note->path);
  sqlite3_bind_double(statement, 4, clock_wall());
  return ledger_finish(statement) == SQLITE_DONE;
}

static bool write_note(Ledger *ledger, const LedgerNote *note) {
  bool ok = ledger_begin(ledger) &&
            (note->n ? write_file(ledger, note)
                     : write_news(ledger, note->key, &note->news));
  return ok || (ledger->trouble.kind ? false : ledger_fail(ledger));
}

/* Written now if it can be, and kept until that is durable. */
static void keep(Ledger *ledger, const LedgerNote *note) {
  LedgerNote *kept = ledger_notes_add(&ledger->notes, note);
  if (!ledger->left && !ledger->trouble.kind)
    write_note(ledger, kept ? kept : note);
  else if (!ledger->left)
    ledger->left = kept;
}

void ledger_tell(Ledger *ledger, const char *key, const LedgerNews *news) {
  keep(ledger, &(LedgerNote){.key = key, .news = *news});
}

void ledger_save_file(Ledger *ledger, const char *key, unsigned n,
                      const char *path) {
  keep(ledger, &(LedgerNote){.key = key, .n = n, .path = path});
}

bool ledger_settle(Ledger *ledger, const char *key, const LedgerNews *news,
                   Failure *failure) {
  const LedgerNote *last = ledger->notes.last;
  if (!ledger->trouble.kind)
    ledger_tell(ledger, key, news);
  if (ledger_flush(ledger, failure))
    return true;
  if (ledger->notes.last && ledger->notes.last != last)
    ledger_notes_drop_last(&ledger->notes);
  ledger->left = ledger->notes.first;
  return false;
}

/* ---- what is durable ---- */

static bool write_left(Ledger *ledger) {
  for (; ledger->left; ledger->left = ledger->left->next)
    if (!write_note(ledger, ledger->left))
      return false;
  return true;
}

bool ledger_flush(Ledger *ledger, Failure *failure) {
  if (!ledger->trouble.kind && write_left(ledger)) {
    if (!ledger->open ||
        sqlite3_exec(ledger->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK) {
      ledger->open = false;
      ledger_notes_clear(&ledger->notes);
      return true;
    }
    ledger_fail(ledger);
  }
  ledger_why(ledger, failure);
  return false;
}

bool ledger_restart(Ledger *ledger, bool last) {
  if (ledger->broken || !ledger->trouble.kind)
    return !ledger->broken;
  failure_clear(&ledger->trouble);
  ledger_patience_set(ledger->db, last ? LEDGER_BUSY_LAST : 0);
  ledger_begin(ledger);
  ledger_patience_set(ledger->db, LEDGER_BUSY);
  return !ledger->trouble.kind;
}

/* ---- tenants ---- */

static void explain_change(Ledger *ledger, const char *name,
                           const TenantChange *change, Failure *failure) {
  Tenant tenant;
  if (ledger_tenant_look(ledger->db, name, &tenant) == SQLITE_ROW)
    failure_set(
        failure, "budget", "tenant_budget_too_low",
        "the tenant '%.128s' has %.14g credits reserved and %.14g spent: "
        "its budget cannot be %.14g",
        name, tenant.reserved, tenant.spent, change->budget);
  else /* somebody took it out of the file, and not its jobs */
    failure_set(failure, "budget", "tenant_budget_too_low",
                "the jobs of the tenant '%.128s' have more credits reserved and"
                " spent: its budget cannot be %.14g",
                name, change->budget);
}

/* Counting begins with the first tenant, between two transactions. */
static bool count_tenants(Ledger *ledger, Failure *failure) {
  if (!ledger_flush(ledger, failure))
    return false;
  if (!ledger->counts)
    ledger->counts = ledger_tenant_count(ledger->db) == SQLITE_OK;
  if (ledger->counts)
    return true;
  ledger_fail(ledger);
  ledger_why(ledger, failure);
  return false;
}

bool ledger_change_tenant(Ledger *ledger, const char *name,
                          const TenantChange *change, Failure *failure) {
  int code;
  if (!ledger_may_spend(ledger, failure) || !count_tenants(ledger, failure))
    return false;
  if (ledger_begin(ledger)) {
    code = ledger_tenant_change(ledger->db, name, change);
    if (code == SQLITE_DONE)
      return ledger_flush(ledger, failure);
    if ((code & 0xff) == SQLITE_CONSTRAINT)
      explain_change(ledger, name, change, failure);
    if (failure->kind)
      return false;
    ledger_fail(ledger);
  }
  ledger_why(ledger, failure);
  return false;
}
