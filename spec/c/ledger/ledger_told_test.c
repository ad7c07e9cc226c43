/*
 * What is told of a job that ends without being sent, and what its row says
 * then: whether it was taken over before or not, whatever its end is, and
 * whoever has moved the row meanwhile.  Where the ledger says that nobody sends
 * it any more, nobody can; and where nobody has moved the row, it says so.
 */
#include "folder.h"

#include "engine/ledger/ledger.h"

#include <sqlite3.h>

/* What is done to the row by somebody else. */
typedef enum Move {
  NOTHING,
  PERMITTED, /* by who had it when it was read */
  ACCEPTED,  /* a fact that is told of it */
  CANCELLED, /* by who had it when it was read */
  TAKEN,     /* by a third one */
  ABANDONED,
  REMOVED,
  MOVES
} Move;

typedef enum When { BEFORE, AFTER, WHENS } When; /* the take-over */

/* Of the row, as it was read. */
typedef struct Seen {
  const char *id;     /* NULL = none, as in a row of an older version */
  bool maybe_charged; /* it may have been sent: its state is unknown */
} Seen;

typedef struct Case {
  Seen seen;
  const char *told;
  bool takes; /* the take-over is tried, and not held up by a lock */
  Move move;
  When when;
} Case;

static const Seen seens[] = {
    {"x-0", false}, {NULL, false}, {"x-1", true}, {NULL, true}};

static Ledger *ledger;
static sqlite3 *db; /* somebody else's look at the file */

static bool intend(const char *key, const char *id, bool again, bool doubt) {
  Failure failure = {0};
  LedgerEntry entry = {.key = key,
                       .base_url = "http://localhost:1",
                       .count = 1,
                       .cost = 10,
                       .body = "{}",
                       .body_length = 2,
                       .attempt_id = id,
                       .next_id = "none",
                       .maybe_charged = doubt};
  bool done = ledger_intend(ledger, &entry, again, &failure);
  failure_clear(&failure);
  return done;
}

static bool permit(const char *key, const char *id, bool again) {
  Failure failure = {0};
  LedgerSend send = {.attempt_id = id, .next_id = "p-1", .again = again};
  bool done = ledger_permit(ledger, key, &send, &failure);
  failure_clear(&failure);
  return done;
}

static void flush(void) {
  Failure failure = {0};
  assert_true(ledger_flush(ledger, &failure));
}

static void make(const char *key, const Seen *seen) {
  assert_true(intend(key, seen->id, false, false));
  if (seen->maybe_charged)
    ledger_tell(ledger, key,
                &(LedgerNews){.state = "unknown", .charged = "unknown"});
}

static void remove_row(const char *key) {
  char sql[64];
  snprintf(sql, sizeof sql, "DELETE FROM jobs WHERE key = '%s'", key);
  flush();
  assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void move(const char *key, const Case *one) {
  const Seen *seen = &one->seen;
  switch (one->move) {
  case PERMITTED:
    permit(key, seen->id, seen->maybe_charged);
    break;
  case ACCEPTED:
    ledger_tell(
        ledger, key,
        &(LedgerNews){.state = "accepted", .charged = "yes", .job_id = key});
    break;
  case CANCELLED:
    if (seen->id)
      ledger_tell(ledger, key,
                  &(LedgerNews){.state = "cancelled", .attempt_id = seen->id});
    break;
  case TAKEN:
    intend(key, "y-0", true, seen->maybe_charged);
    break;
  case ABANDONED:
    ledger_tell(ledger, key, &(LedgerNews){.state = "abandoned"});
    break;
  case REMOVED:
    remove_row(key);
    break;
  default:
    break;
  }
}

static void tell(const char *key, const Case *one) {
  ledger_tell(ledger, key,
              &(LedgerNews){.state = one->told,
                            .attempt_id = "m-0",
                            .next_id = "m-1",
                            .seen_id = one->seen.id ? one->seen.id : "",
                            .seen_maybe_charged = one->seen.maybe_charged});
}

static bool can_be_sent(const char *key) {
  static const char *const ids[] = {"x-0", "x-1", "y-0", "m-0", "m-1", "p-1"};
  for (size_t i = 0; i < COUNT(ids); i++)
    if (permit(key, ids[i], false) || permit(key, ids[i], true))
      return true;
  return intend(key, "z-0", true, false) || intend(key, "z-0", true, true);
}

/* As the host is told it: see job_end.c. */
static bool says_so(const char *key, bool doubt, LedgerStand *stand) {
  assert_true(ledger_look(ledger, key, stand));
  return !stand->found || (!stand->open && (stand->free || doubt));
}

static void walk(const Case *one, const char *key) {
  bool ended = strcmp(one->told, "unknown") != 0;
  LedgerStand stand;
  bool right;
  make(key, &one->seen);
  flush();
  if (one->when == BEFORE)
    move(key, one);
  if (one->takes)
    intend(key, "m-0", true, one->seen.maybe_charged);
  if (one->when == AFTER)
    move(key, one);
  tell(key, one);
  flush();
  right = says_so(key, one->seen.maybe_charged, &stand);
  check(stand.found == (one->move != REMOVED), "%s: found", key);
  if (one->move == NOTHING)
    check(right == ended, "%s, told %s, taken %d: its row says otherwise", key,
          one->told, one->takes);
  if (one->move == TAKEN && (one->when == AFTER || !one->takes))
    check(!right, "%s: the third one's row, as if it were ours", key);
  if (one->move == ACCEPTED)
    check(!stand.free && (!right || one->seen.maybe_charged),
          "%s: accepted, and told as free of cost", key);
  if (right)
    check(!can_be_sent(key), "%s, told %s, moved %d: it is sent", key,
          one->told, one->move);
}

static void open_both(const Folder *folder) {
  Failure failure = {0};
  char path[PATH_MAX];
  folder_path(folder, "renders.db", path);
  ledger = ledger_open(path, &failure);
  assert_non_null(ledger);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
}

static void nobody_sends_what_is_told_as_never_sent(void **state) {
  static const char *const told[2][3] = {{"unsent", "cancelled", "refused"},
                                         {"cancelled", "unknown", NULL}};
  Folder folder;
  char key[16];
  unsigned count = 0;
  (void)state;
  folder_make(&folder);
  open_both(&folder);
  for (size_t i = 0; i < COUNT(seens); i++)
    for (unsigned word = 0; word < 3; word++)
      for (unsigned rest = 0; rest < 2 * MOVES * WHENS; rest++) {
        Case one = {.seen = seens[i],
                    .told = told[seens[i].maybe_charged][word],
                    .takes = rest % 2,
                    .move = rest / 2 % MOVES,
                    .when = rest / 2 / MOVES};
        snprintf(key, sizeof key, "key-%u", ++count);
        if (one.told)
          walk(&one, key);
      }
  sqlite3_close(db);
  ledger_close(ledger);
  folder_remove(&folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nobody_sends_what_is_told_as_never_sent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
