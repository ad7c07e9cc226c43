/* The ledger's statements: see ledger_sql.h. */
#include "ledger_sql.h"

#include "engine/base/url.h"

/* A job that succeeded stays so, and one that failed unless it turns out to
 * have succeeded.  One that is abandoned is nobody's from then on: who still
 * sends it has no more word in it, and no second permission. */
#define IS_SETTLED                                                             \
  "(state = 'succeeded' OR state = 'failed' AND ?2 IS NOT 'succeeded')"

/* What may have been made is never said not to have been: not by the word of
 * one who only looks at it (?12 is 0), and once it is known to be more than
 * sent, by nobody's. */
#define IS_TAKEN_BACK                                                          \
  "(?2 IN ('intent', 'unsent', 'refused')"                                     \
  " AND (state IN ('accepted', 'unknown') OR state = 'sent' AND NOT ?12))"

/* That a job was charged is no less true where a later create of it came to
 * nothing, or named no job; nor where somebody names the one it is. */
#define IS_KNOWN                                                               \
  "(charged = 'yes' AND ?3 IS 'unknown' AND"                                   \
  " (?4 IS NULL OR ?2 IS 'accepted') AND coalesce(?4, job_id) IS job_id)"

/* What the host has given up is not opened again. */
#define IS_REOPENED                                                            \
  "(state IN ('cancelled', 'abandoned')"                                       \
  " AND ?2 IN ('intent', 'unsent', 'refused', 'unknown'))"

/* Said, and not left to SQLite, which may think that a state finds fewer. */
#define BY_ID " INDEXED BY jobs_by_id_and_time"

#define TELL(index)                                                            \
  "UPDATE jobs" index " SET"                                                   \
  " state = CASE WHEN " IS_SETTLED " OR " IS_REOPENED " OR " IS_TAKEN_BACK     \
  "  THEN state ELSE coalesce(?2, state) END,"                                 \
  " charged = CASE WHEN " IS_SETTLED " OR " IS_TAKEN_BACK " OR " IS_KNOWN      \
  "  THEN charged"                                                             \
  "  ELSE coalesce(?3, charged) END,"                                          \
  " error = CASE WHEN ?2 IS 'succeeded' THEN NULL WHEN " IS_SETTLED            \
  "  THEN error ELSE coalesce(?5, error) END,"                                 \
  " attempt_id = CASE WHEN ?2 IS 'abandoned' THEN NULL ELSE attempt_id END,"   \
  " job_id = coalesce(?4, job_id), attempts = max(attempts, ?6),"              \
  " account = coalesce(?11, account),"                                         \
  " http_status = coalesce(?7, http_status),"                                  \
  " owner = CASE WHEN (?16 OR ?2 IS 'unknown') AND owner IS ?17"               \
  "  THEN NULL ELSE owner END,"                                                \
  " seconds = coalesce(seconds, ?15), updated_at = ?8 WHERE "

/* Of that service, however its URL is spelled. */
#define IS_OF(url) "service(base_url) = service(" url ")"

/* A row of an older version tells no account. */
#define IS_OWN(account)                                                        \
  " AND (account IS NULL OR " account " IS NULL OR account = " account ")"

/* Who asks for a row that has the id of their first permission was not told of
 * that one: it has let nothing out. */
#define IS_UNTOLD "(state = 'sent' AND attempt_id = ?12)"

#define HAS_BODY                                                               \
  " AND EXISTS (SELECT 1 FROM bodies WHERE key = ?1 AND body = ?2)"

/* Nobody's who lives, as far as who takes it over knows, or theirs already. */
#define IS_LEFT " AND (owner IS NULL OR owner IN (?7, ?8))"

/* The answers of a job that is there; the request's row is another.  That a job
 * failed (?4) replaces no pictures; and what a create was answered that named
 * no job (?7 is 0) not the answer that the id is from. */
#define ANSWER(index)                                                          \
  "INSERT INTO bodies (key, answer, result)"                                   \
  " SELECT key, CASE WHEN ?7 OR job_id IS NULL THEN ?2 END, ?3"                \
  " FROM jobs" index " WHERE NOT (?4 AND state = 'succeeded') AND "
#define OR_REPLACE                                                             \
  " ON CONFLICT (key, (body IS NULL)) DO UPDATE SET"                           \
  " answer = coalesce(excluded.answer, answer),"                               \
  " result = coalesce(excluded.result, result)"

/* As one read it who was to take it over: they did not, or not for good. */
#define IS_AS_SEEN                                                             \
  "(coalesce(attempt_id, '') = ?13"                                            \
  " AND (state = 'intent' AND NOT ?14 OR state IN ('sent', 'unknown') AND "    \
  "?14))"

const char *const ledger_sql[STATEMENTS] = {
    [INTEND] =
        "INSERT INTO jobs (key, base_url, mode, prompt, ratio, metadata,"
        " count, cost, state, created_at, updated_at, account, attempt_id,"
        " tenant, owner) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'intent', ?9,"
        " ?9, ?10, ?11, coalesce(?13, ''), ?14)"
        /* Who is not told whether it was made asks once more. */
        " ON CONFLICT (key) DO UPDATE SET updated_at = ?9, attempt_id = ?11,"
        " state = CASE WHEN " IS_UNTOLD " THEN 'intent' ELSE state END,"
        " charged = CASE WHEN " IS_UNTOLD " THEN 'no' ELSE charged END"
        " WHERE attempt_id = ?11 OR " IS_UNTOLD,
    [INTEND_BODY] = "INSERT OR IGNORE INTO bodies (key, body) VALUES (?1, ?2)",
    /* Only the very same request may go out under a key again.  Whose it is
     * does not change before it is sent. */
    [INTEND_AGAIN] = "UPDATE jobs SET state = 'intent', charged = 'no',"
                     " attempt_id = ?5, updated_at = ?3,"
                     " account = coalesce(account, ?4), owner = ?7"
                     " WHERE key = ?1 AND (state = 'intent' OR " IS_UNTOLD
                     ")" IS_LEFT HAS_BODY,
    /* The id of an earlier create stays until an answer names another: if this
     * one comes to nothing, it is all that leads to what was paid. */
    [INTEND_REPEAT] =
        "UPDATE jobs SET state = 'sent', job_id = coalesce(job_id, ?6),"
        " attempt_id = ?5, updated_at = ?3, account = coalesce(account, ?4),"
        " owner = ?7 WHERE key = ?1 AND (state IN ('sent', 'unknown')"
        " OR state = 'accepted' AND job_id IS NULL)" IS_LEFT HAS_BODY,
    /* From now on only who sends it can tell whether it was made. */
    [PERMIT] = "UPDATE jobs SET state = 'sent',"
               " charged = CASE WHEN charged = 'yes' THEN charged"
               "  ELSE 'unknown' END,"
               " account = CASE WHEN state = 'intent'"
               "  THEN coalesce(?7, account) ELSE account END,"
               /* Those of earlier processes, too; asked again it is one. */
               " attempts = max(attempts + (attempt_id = ?2), ?5),"
               " attempt_id = ?3, updated_at = ?6"
               " WHERE key = ?1 AND (attempt_id = ?2 AND state = ?4"
               " OR attempt_id = ?3 AND state = 'sent')",
    [STATE_OF] = "SELECT state, charged FROM jobs WHERE key = ?1",
    [OTHER_WITH_ID] = "SELECT key FROM jobs" BY_ID " WHERE job_id = ?1"
                      " AND " IS_OF("?2") " AND key <> ?3 LIMIT 1",
    [TELL_BY_KEY] =
        TELL("") "key = ?1 AND (?9 IS NULL OR attempt_id IN (?9, ?10)"
                 " OR " IS_AS_SEEN ")",
    [TELL_BY_ID] = TELL(BY_ID) "job_id = ?1 AND " IS_OF("?9") IS_OWN("?10"),
    [ANSWER_BY_KEY] = ANSWER("") "key = ?1" OR_REPLACE,
    [ANSWER_BY_ID] =
        ANSWER(BY_ID) "job_id = ?1 AND " IS_OF("?5") IS_OWN("?6") OR_REPLACE,
    [SAVE_FILE] = ("INSERT OR REPLACE INTO files (key, n, path, saved_at)"
                   " VALUES (?1, ?2, ?3, ?4)"),
    [DURATIONS] = "SELECT base_url, mode, count, seconds, created_at"
                  " FROM jobs"
                  " INDEXED BY jobs_by_state_and_time"
                  " WHERE state = 'succeeded'"
                  " ORDER BY created_at DESC LIMIT ?1",
    [ANY_TENANT] = "SELECT 1 FROM tenants WHERE id > '' LIMIT 1",
};

static void name_service(sqlite3_context *context, int count,
                         sqlite3_value **values) {
  const char *url = (const char *)sqlite3_value_text(values[0]);
  char name[URL_NAME_MAX];
  (void)count;
  if (!url)
    return; /* NULL */
  url_write_name(name, url);
  sqlite3_result_text(context, name, -1, SQLITE_TRANSIENT);
}

int ledger_sql_functions(sqlite3 *db) {
  return sqlite3_create_function(
      db, "service", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
      NULL, name_service, NULL, NULL);
}
