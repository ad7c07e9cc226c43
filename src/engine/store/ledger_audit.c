/* What is wrong with a ledger as a whole: see ledger_audit.h. */
#include "ledger_audit.h"

#include "ledger_tenant.h"

#include <string.h>

typedef struct Question {
  const char *code;
  const char *sql; /* gives keys and details */
  int since;       /* the version of the tables that it needs, 0 = none */
} Question;

static const Question questions[] = {
    {"ledger_damaged",
     "SELECT NULL, integrity_check FROM pragma_integrity_check(100)"
     " WHERE integrity_check <> 'ok'",
     0},
    {"no_job",
     "SELECT key, 'a file: ' || path FROM files"
     " WHERE key NOT IN (SELECT key FROM jobs)",
     1},
    {"no_job",
     "SELECT key, 'a request or an answer' FROM bodies"
     " WHERE key NOT IN (SELECT key FROM jobs)",
     2},
    {"file_wrong",
     "SELECT key, 'picture ' || n || ': ' || path FROM files"
     " WHERE n NOT BETWEEN 1 AND 4",
     1},
    {"job_twice",
     "SELECT max(key), 'job ' || job_id || ' is that of ' || count(*)"
     " || ' rows' FROM jobs WHERE job_id IS NOT NULL"
     " GROUP BY base_url, job_id HAVING count(*) > 1",
     1},
    {"sum_wrong", ledger_tenant_wrong, 2},
    {"no_tenant", ledger_tenant_missing, 2},
};

#define QUESTIONS (sizeof questions / sizeof *questions)

static bool is_damage(int code) {
  return strcmp(ledger_trouble(code), "ledger_damaged") == 0;
}

/* The next question; SQLite's word. */
static int ask(LedgerAudit *audit, sqlite3 *db,
               const LedgerContents *contents) {
  while (audit->next < QUESTIONS &&
         questions[audit->next].since > contents->version)
    audit->next++;
  if (audit->next == QUESTIONS)
    return SQLITE_DONE;
  return sqlite3_prepare_v2(db, questions[audit->next].sql, -1,
                            &audit->statement, NULL);
}

static void tell(const LedgerAudit *audit, LedgerFinding *finding) {
  finding->code = questions[audit->next].code;
  finding->key = (const char *)sqlite3_column_text(audit->statement, 0);
  finding->detail = (const char *)sqlite3_column_text(audit->statement, 1);
}

bool ledger_audit_next(LedgerAudit *audit, sqlite3 *db,
                       const LedgerContents *contents, LedgerFinding *finding,
                       int *code) {
  for (;;) {
    *code = audit->statement ? SQLITE_OK : ask(audit, db, contents);
    if (*code == SQLITE_DONE) /* there is no other question */
      return false;
    if (*code == SQLITE_OK)
      *code = sqlite3_step(audit->statement);
    if (*code == SQLITE_ROW) {
      tell(audit, finding);
      return true;
    }
    ledger_audit_end(audit);
    audit->next++;
    if (*code != SQLITE_DONE)
      break;
  }
  if (!is_damage(*code))
    return false;
  *finding = (LedgerFinding){"ledger_damaged", NULL, sqlite3_errstr(*code)};
  audit->next = QUESTIONS; /* what else could be asked of such a file */
  return true;
}

void ledger_audit_end(LedgerAudit *audit) {
  sqlite3_finalize(audit->statement);
  audit->statement = NULL;
}
