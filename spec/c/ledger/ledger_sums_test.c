/* What tenants have reserved and spent follows from the rows of their jobs,
 * whatever becomes of those: every move from every row, and long lives of many
 * jobs. */
#include "tenant_sums.h"

/* ---- every row that there is, and all that can happen to it ---- */

static const char *const states[] = {
    NULL,     "intent",    "unknown",   "accepted", "refused",
    "unsent", "cancelled", "succeeded", "failed",   "abandoned"};
static const char *const charges[] = {NULL, "no", "yes", "unknown",
                                      "refund_expected"};

/* A word of who sends it, or a fact; with an id, or without. */
#define TELLS (COUNT(states) * COUNT(charges) * 4)
enum { PERMIT_FIRST = TELLS, PERMIT_AGAIN, TAKE, TAKE_DOUBTED, MOVES };

static void move(Ledger *ledger, const char *key, unsigned what) {
  LedgerEntry entry = entry_for(key);
  LedgerSend send = {.attempt_id = "a", .next_id = "a", .attempts = 1};
  Failure failure = {0};
  entry.attempt_id = "a";
  entry.next_id = "b";
  if (what < TELLS) {
    LedgerNews news = {.state = states[what % COUNT(states)],
                       .charged =
                           charges[what / COUNT(states) % COUNT(charges)]};
    unsigned rest = (unsigned)(what / (COUNT(states) * COUNT(charges)));
    news.attempt_id = rest & 1 ? "a" : NULL;
    news.job_id = rest & 2 ? key : NULL;
    ledger_tell(ledger, key, &news);
  } else if (what == PERMIT_FIRST || what == PERMIT_AGAIN) {
    send.again = what == PERMIT_AGAIN;
    ledger_permit(ledger, key, &send, &failure);
  } else {
    entry.maybe_charged = what == TAKE_DOUBTED;
    ledger_intend(ledger, &entry, true, &failure);
  }
  failure_clear(&failure);
}

#define DEPTH_MAX 12
#define ROWS_MAX 400

typedef struct Path {
  unsigned moves[DEPTH_MAX];
  unsigned count;
} Path;

static struct {
  char rows[ROWS_MAX][64]; /* seen: state, charged, id */
  Path paths[ROWS_MAX];    /* that lead there */
  unsigned count, keys;
} seen;

/* A job of a tenant of its own, moved along. */
static void walk(Ledger *ledger, const Path *along, char key[16]) {
  LedgerEntry entry;
  Failure failure = {0};
  snprintf(key, 16, "k%u", ++seen.keys);
  entry = entry_for(key);
  entry.attempt_id = "a";
  entry.tenant = key;
  assert_true(ledger_intend(ledger, &entry, false, &failure));
  for (unsigned i = 0; i < along->count; i++)
    move(ledger, key, along->moves[i]);
}

static void note_row(sqlite3 *db, const char *key, const Path *along) {
  char text[64];
  sqlite3_stmt *row = ask(db,
                          "SELECT state || ' ' || charged || ' ' ||"
                          " (job_id IS NULL) || (attempt_id IS NULL)"
                          " FROM jobs WHERE key = ?1",
                          key);
  assert_int_equal(sqlite3_step(row), SQLITE_ROW);
  snprintf(text, sizeof text, "%s", (const char *)sqlite3_column_text(row, 0));
  sqlite3_finalize(row);
  for (unsigned i = 0; i < seen.count; i++)
    if (strcmp(seen.rows[i], text) == 0)
      return;
  assert_true(seen.count < ROWS_MAX && along->count < DEPTH_MAX);
  memcpy(seen.rows[seen.count], text, sizeof text);
  seen.paths[seen.count++] = *along;
}

/* Tenants for the next jobs, at once. */
static void make_tenants(void) {
  char sql[200];
  snprintf(sql, sizeof sql,
           "WITH RECURSIVE n (i) AS (SELECT %u UNION ALL SELECT i + 1 FROM n"
           " WHERE i < %u) INSERT INTO tenants (id, budget)"
           " SELECT 'k' || i, %d FROM n",
           seen.keys + 1, seen.keys + MOVES, PRICE);
  run_sql(sql);
}

static void every_move_from_every_row_holds_the_sums(void **state) {
  Ledger *ledger = open_ledger();
  sqlite3 *db = look();
  (void)state;
  set_budget(ledger, "first", 0); /* from now on they are counted */
  seen.count = 1;
  for (unsigned from = 0; from < seen.count; from++) {
    Path paths = seen.paths[from];
    unsigned first = seen.keys + 1;
    char key[16], what[48];
    make_tenants();
    paths.count++;
    for (unsigned i = 0; i < MOVES; i++) {
      paths.moves[paths.count - 1] = i;
      walk(ledger, &paths, key);
    }
    flush(ledger);
    for (unsigned i = 0; i < MOVES; i++) {
      paths.moves[paths.count - 1] = i;
      snprintf(key, sizeof key, "k%u", first + i);
      snprintf(what, sizeof what, "%.30s, move %u", seen.rows[from], i);
      check_sums(db, key, what);
      note_row(db, key, &paths);
    }
  }
  check(seen.count > 40, "%u rows were seen", seen.count);
  sqlite3_close(db);
  ledger_close(ledger);
}

/* ---- long lives of many jobs ---- */

#define STEPS 500
#define TENANTS 3
#define JOBS 24

static unsigned dice(unsigned most) {
  static uint64_t seed = 12345;
  return random_below(&seed, most);
}

static const char *const names[TENANTS] = {"a", "b", "c"};

/* What the budget of the tenant says to one job more. */
static const char *expected_for(sqlite3 *db, const char *name) {
  Tenant sums = judged(db, name);
  double left = tenant_in(db, name).budget - sums.reserved - sums.spent;
  return left >= PRICE ? "" : "tenant_budget_exceeded";
}

static void random_lives_hold_the_sums_after_every_commit(void **state) {
  Ledger *ledger = open_ledger();
  sqlite3 *db = look();
  unsigned made = 0, refused = 0;
  (void)state;
  for (int i = 0; i < TENANTS; i++)
    set_budget(ledger, names[i], PRICES(4 + 3 * i));
  for (int i = 0; i < STEPS; i++) {
    char key[16];
    if (made == 0 || dice(4) == 0) {
      const char *name = names[dice(TENANTS)];
      const char *expected = expected_for(db, name);
      snprintf(key, sizeof key, "j%u", made);
      assert_intended(ledger, key, name, expected);
      made += *expected == '\0';
      refused += *expected != '\0';
    } else {
      snprintf(key, sizeof key, "j%u",
               made - 1 - dice(made < JOBS ? made : JOBS));
      move(ledger, key, dice(MOVES));
    }
    flush(ledger);
    for (int n = 0; n < TENANTS; n++)
      check_sums(db, names[n], key);
  }
  check(made > 10 && refused > 5, "%u made, %u refused", made, refused);
  sqlite3_close(db);
  ledger_close(ledger);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(every_move_from_every_row_holds_the_sums),
      TEST(random_lives_hold_the_sums_after_every_commit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
