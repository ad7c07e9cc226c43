/* What is asked of a ledger's jobs: see ledger_query.h. */
#include "ledger_query.h"

#include <stdio.h>

#define COLUMNS                                                                \
  "key, state, charged, base_url, mode, prompt, ratio, metadata, job_id, "     \
  "error"
#define NUMBERS "created_at, updated_at, count, cost, attempts, http_status"

/* What schema 1 had in `jobs`. */
#define BODIES_1 "body, answer, result"
#define BODIES_2                                                               \
  "(SELECT body FROM bodies WHERE key = jobs.key AND body IS NOT NULL),"       \
  " (SELECT answer FROM bodies WHERE key = jobs.key AND body IS NULL),"        \
  " (SELECT result FROM bodies WHERE key = jobs.key AND body IS NULL)"

#define COLUMNS_1                                                              \
  COLUMNS ", " BODIES_1 ", " NUMBERS ", NULL, NULL, NULL, NULL, rowid"
#define COLUMNS_2                                                              \
  COLUMNS ", " BODIES_2 ", " NUMBERS                                           \
          ", account, attempt_id, tenant, owner, rowid"

const char ledger_query_files[] =
    "SELECT path FROM files WHERE key = ?1 ORDER BY n, saved_at, path";

/* Which index finds the fewest.  Said, and not left to SQLite: whatever it
 * would think of the others, it then neither sorts nor looks at all jobs.  A
 * key finds one job at most, as SQLite knows. */
static const char *index_for(const LedgerFilter *filter) {
  if (filter->key)
    return "";
  if (filter->job_id)
    return " INDEXED BY jobs_by_id_and_time";
  if (filter->tenant && (filter->state || filter->unfinished))
    return " INDEXED BY jobs_by_tenant_state_and_time";
  if (filter->tenant)
    return " INDEXED BY jobs_by_tenant_and_time";
  if (filter->state || filter->unfinished)
    return " INDEXED BY jobs_by_state_and_time";
  return " INDEXED BY jobs_by_time";
}

/* The indexes by tenant leave out those of none.  Schema 1 knew no tenants. */
static const char *of_tenant(const LedgerContents *contents) {
  return contents->version == 1 ? " AND ?7 IS NULL"
                                : " AND tenant = ?7 AND tenant <> ''";
}

/* Appends the statement, in no order, for those of which this holds as well:
 * how long it is then. */
static size_t add_part(char sql[LEDGER_QUERY_MAX], size_t length,
                       const LedgerFilter *filter,
                       const LedgerContents *contents, const char *also) {
  int added = snprintf(sql + length, LEDGER_QUERY_MAX - length,
                       "%sSELECT %s FROM jobs%s WHERE %s%s%s%s%s%s%s",
                       length ? " UNION ALL " : "",
                       contents->version == 1 ? COLUMNS_1 : COLUMNS_2,
                       ledger_is_current(contents) ? index_for(filter) : "",
                       also, filter->key ? " AND key = ?1" : "",
                       filter->job_id ? " AND job_id = ?2" : "",
                       filter->state ? " AND state = ?3" : "",
                       filter->tenant ? of_tenant(contents) : "",
                       filter->since > 0 ? " AND created_at >= ?4" : "",
                       filter->until > 0 ? " AND created_at <= ?5" : "");
  return length + (size_t)added;
}

static const char *const unfinished[] = {"state = 'intent'", "state = 'sent'",
                                         "state = 'accepted'",
                                         "state = 'unknown'"};

/* The unfinished ones are four questions, each answered in order, whose answers
 * SQLite merges as they come. */
void ledger_query(char sql[LEDGER_QUERY_MAX], const LedgerFilter *filter,
                  const LedgerContents *contents) {
  const char *order = filter->newest_first ? " DESC" : "";
  size_t length = 0;
  if (filter->unfinished)
    for (size_t i = 0; i < sizeof unfinished / sizeof *unfinished; i++)
      length = add_part(sql, length, filter, contents, unfinished[i]);
  else
    length = add_part(sql, 0, filter, contents, "TRUE");
  snprintf(sql + length, LEDGER_QUERY_MAX - length,
           " ORDER BY created_at%s, rowid%s LIMIT ?6", order, order);
}

/* The filter's texts must live as long as the reader: they are copied.  A
 * filter that is left out would let all rows through. */
bool ledger_query_bind(sqlite3_stmt *rows, const LedgerFilter *filter) {
  int code = SQLITE_OK;
  const char *texts[] = {filter->key, filter->job_id, filter->state,
                         filter->tenant};
  static const int places[] = {1, 2, 3, 7};
  for (int i = 0; i < 4; i++)
    if (texts[i])
      code |=
          sqlite3_bind_text(rows, places[i], texts[i], -1, SQLITE_TRANSIENT);
  if (filter->since > 0)
    sqlite3_bind_double(rows, 4, filter->since);
  if (filter->until > 0)
    sqlite3_bind_double(rows, 5, filter->until);
  sqlite3_bind_int64(rows, 6, filter->limit > 0 ? filter->limit : -1);
  return code == SQLITE_OK;
}
