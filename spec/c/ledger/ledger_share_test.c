/* Several processes spend on one ledger: who has which row, what they have in
 * common, and where they are kept apart. */
#include "child.h"
#include "one_ledger.h"

#include "engine/ledger/ledger_state.h"

#include <fcntl.h>
#include <signal.h>

static Ledger *ledger; /* a child's, or the parent's: who looks for leaks finds
                          it */

/* ---- the other process ---- */

static int fds[2];
static pid_t child;
static const char *its_path = path;
static bool alone;

static bool open_it(void) {
  Failure failure = {0};
  ledger = ledger_open_as(its_path, &(LedgerOptions){.alone = alone}, &failure);
  failure_clear(&failure);
  return ledger != NULL;
}

static bool open_and_intend(void) {
  if (!open_it())
    return false;
  intend(ledger, "its");
  flush(ledger);
  return true;
}

static bool begin(bool (*run)(void)) {
  bool done;
  child = start_child(run, fds, &done);
  return done;
}

static void end(void) {
  end_child(child, fds);
}

static char *open_code(bool by_itself) {
  static char code[32];
  Failure failure = {0};
  Ledger *opened =
      ledger_open_as(path, &(LedgerOptions){.alone = by_itself}, &failure);
  snprintf(code, sizeof code, "%s", opened ? "" : failure.code);
  failure_clear(&failure);
  if (opened)
    ledger_close(opened);
  return code;
}

/* Elsewhere one process has it, whatever is asked for. */
static bool is_shared(void) {
  bool shared;
  ledger = open_ledger();
  shared = ledger_lock_is_shared(ledger->lock);
  ledger_close(ledger);
  return shared;
}

#define NEEDS_SHARING                                                          \
  if (!is_shared())                                                            \
  skip()

/* ---- together ---- */

static void several_spend_at_once(void **state) {
  (void)state;
  NEEDS_SHARING;
  assert_true(begin(open_and_intend));
  ledger = open_ledger();
  intend(ledger, "own");
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "itsown");
  end();
  intend(ledger, "more");
  flush(ledger);
  ledger_close(ledger);
}

static bool at_work(const char *key) {
  LedgerFilter one = {.key = key};
  Failure failure = {0};
  LedgerReader *reader = ledger_reader_open(path, &one, &failure);
  LedgerRow row;
  bool lives;
  assert_non_null(reader);
  assert_true(ledger_reader_next(reader, &row, &failure));
  assert_non_null(row.owner);
  lives = ledger_reader_is_at_work(reader, row.owner);
  ledger_reader_close(reader);
  return lives;
}

static void who_works_on_a_row_is_known_while_they_live(void **state) {
  (void)state;
  NEEDS_SHARING;
  assert_true(begin(open_and_intend));
  ledger = open_ledger();
  intend(ledger, "own");
  flush(ledger);
  assert_true(at_work("its"));
  assert_false(at_work("own")); /* this process knows its own */
  end();
  assert_false(at_work("its"));
  ledger_close(ledger);
}

static void nobody_is_told_by_what_is_no_name(void **state) {
  static const char *const names[] = {"", "x", "0000000000", "ABCDEF0",
                                      "-000001"};
  LedgerFilter all = {0};
  Failure failure = {0};
  LedgerReader *reader;
  (void)state;
  NEEDS_SHARING;
  ledger = open_ledger();
  reader = ledger_reader_open(path, &all, &failure);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    assert_false(ledger_reader_is_at_work(reader, names[i]));
  ledger_reader_close(reader);
  ledger_close(ledger);
}

/* ---- who has a row ---- */

static const char *const owners[] = {NULL, "own", "gone", "lives"};
#define SEEN "gone"

static void put_row(const char *key, const char *row_state, const char *owner) {
  char sql[256];
  intend(ledger, key);
  flush(ledger);
  snprintf(sql, sizeof sql,
           "UPDATE jobs SET state = '%s', attempt_id = 'x', owner = %s%s%s"
           " WHERE key = '%s'",
           row_state, owner ? "'" : "", owner ? owner : "NULL",
           owner ? "'" : "", key);
  run_sql(sql);
}

static const char *owner_of(const char *key) {
  static char owner[32];
  LedgerFilter one = {.key = key};
  Failure failure = {0};
  LedgerReader *reader = ledger_reader_open(path, &one, &failure);
  LedgerRow row;
  assert_non_null(reader);
  assert_true(ledger_reader_next(reader, &row, &failure));
  snprintf(owner, sizeof owner, "%s", row.owner ? row.owner : "");
  ledger_reader_close(reader);
  return owner;
}

/* By a name that rows can be given. */
static void open_as_own(void) {
  ledger = open_ledger();
  if (ledger)
    snprintf(ledger->worker, sizeof ledger->worker, "own");
}

static bool take_over(const char *key, bool doubted) {
  LedgerEntry entry = entry_for(key);
  Failure failure = {0};
  bool done;
  entry.attempt_id = "next";
  entry.seen_owner = SEEN;
  entry.maybe_charged = doubted;
  done = ledger_intend(ledger, &entry, true, &failure);
  if (!done)
    assert_string_equal(failure.code, "not_ours_to_send");
  failure_clear(&failure);
  flush(ledger);
  return done;
}

/* Every owner that a row may have by the time that it is taken over by one who
 * has seen that it was of one who is gone. */
static void a_row_is_taken_from_nobody_who_may_live(void **state) {
  static const char *const states[] = {"intent", "sent", "unknown"};
  char key[8];
  (void)state;
  open_as_own();
  for (unsigned i = 0; i < 3; i++)
    for (unsigned j = 0; j < 4; j++) {
      bool lives = j == 3;
      snprintf(key, sizeof key, "%u%u", i, j);
      put_row(key, states[i], owners[j]);
      assert_int_equal(take_over(key, i > 0), !lives);
      assert_string_equal(owner_of(key), lives ? "lives" : "own");
    }
  ledger_close(ledger);
}

/* What is over is left to whoever wants it, and to nobody else's worker. */
static void who_parts_lets_go_of_its_own_rows(void **state) {
  static const LedgerNews parting[] = {{.parts = true}, {.state = "unknown"}};
  char key[8];
  (void)state;
  open_as_own();
  for (unsigned i = 0; i < 2; i++)
    for (unsigned j = 0; j < 4; j++) {
      snprintf(key, sizeof key, "%u%u", i, j);
      put_row(key, "accepted", owners[j]);
      ledger_tell(ledger, key, &(LedgerNews){.attempts = 1});
      flush(ledger);
      assert_string_equal(owner_of(key), owners[j] ? owners[j] : "");
      ledger_tell(ledger, key, &parting[i]);
      flush(ledger);
      assert_string_equal(owner_of(key), j < 2 ? "" : owners[j]);
    }
  ledger_close(ledger);
}

static unsigned claim(const char *worker, LedgerClaim *claims, size_t count) {
  Failure failure = {0};
  unsigned taken = 0;
  assert_true(ledger_claim(&(LedgerPlace){.path = path}, worker, claims, count,
                           &failure));
  for (size_t i = 0; i < count; i++)
    taken += claims[i].taken;
  return taken;
}

static void a_claim_is_had_by_the_first(void **state) {
  LedgerClaim claims[] = {{.key = "a", .state = "accepted", .owner = "gone"},
                          {.key = "b", .state = "intent"},
                          {.key = "c", .state = "accepted"},
                          {.key = "none", .state = "intent"}};
  (void)state;
  ledger = open_ledger();
  put_row("a", "accepted", "gone");
  put_row("b", "intent", NULL);
  put_row("c", "succeeded", NULL); /* it has ended meanwhile */
  assert_int_equal(claim("one", claims, 4), 2);
  assert_true(claims[0].taken && claims[1].taken);
  assert_int_equal(claim("two", claims, 4), 0);
  assert_string_equal(owner_of("a"), "one");
  claims[0].owner = claims[1].owner = "one";
  assert_int_equal(claim(NULL, claims, 2), 2); /* given back */
  assert_string_equal(owner_of("b"), "");
  ledger_close(ledger);
}

static void a_claim_on_another_file_is_none(void **state) {
  LedgerClaim one = {.key = "a", .state = "intent"};
  Failure failure = {0};
  (void)state;
  ledger = open_ledger();
  assert_false(ledger_claim(&(LedgerPlace){.path = path, .file = "1:1"}, "w",
                            &one, 1, &failure));
  assert_string_equal(failure.code, "ledger_replaced");
  failure_clear(&failure);
  ledger_close(ledger);
}

static void leave_at_once(int signal) {
  (void)signal;
  _exit(0);
}

/* It stands in the gate as one who opens or closes, and ends after a while. */
static bool stand_in_the_gate(void) {
  if (!open_it() || !ledger_lock_is_last(ledger->lock))
    return false;
  signal(SIGALRM, leave_at_once);
  alarm(3);
  return true;
}

static void who_opens_is_waited_for(void **state) {
  (void)state;
  NEEDS_SHARING;
  assert_true(begin(stand_in_the_gate));
  assert_string_equal(open_code(false), "");
  end();
}

/* ---- apart ---- */

static void one_may_have_it_alone(void **state) {
  (void)state;
  alone = true;
  assert_true(begin(open_it));
  alone = false;
  assert_string_equal(open_code(false), "ledger_locked");
  assert_string_equal(open_code(true), "ledger_locked");
  end();
  assert_string_equal(open_code(false), "");
}

static void who_wants_it_alone_waits_for_the_others(void **state) {
  (void)state;
  assert_true(begin(open_it));
  assert_string_equal(open_code(true), "ledger_locked");
  end();
  assert_string_equal(open_code(true), "");
}

static void two_clients_of_a_process_do_not_share(void **state) {
  (void)state;
  ledger = open_ledger();
  assert_refused("ledger_locked");
  ledger_close(ledger);
}

/* A moved file, and one that has another name in another folder. */
static void another_name_is_kept_away(void **state) {
  char moved[PATH_MAX], elsewhere[PATH_MAX], other[PATH_MAX];
  Failure failure = {0};
  (void)state;
  NEEDS_SHARING;
  folder_path(&folder, "moved.db", moved);
  folder_path(&folder, "other", elsewhere);
  folder_path(&folder, "other/renders.db", other);
  assert_true(begin(open_it));
  assert_int_equal(rename(path, moved), 0);
  assert_null(ledger_open(moved, &failure));
  assert_string_equal(failure.code, "ledger_elsewhere");
  failure_clear(&failure);
  assert_int_equal(mkdir(elsewhere, 0700), 0);
  assert_int_equal(link(moved, other), 0);
  assert_int_equal(unlink(moved), 0);
  assert_null(ledger_open(other, &failure));
  assert_string_equal(failure.code, "ledger_elsewhere");
  failure_clear(&failure);
  assert_int_equal(rename(other, path), 0);
  assert_string_equal(open_code(false), "");
  end();
}

/* SQLite's locks go with any descriptor of the file that is closed.  Who is
 * closed meanwhile must not take away the log that we write to. */
static void who_is_not_the_last_leaves_the_log(void **state) {
  char log[PATH_MAX], byte;
  pid_t other;
  int go[2] = {-1, -1}, opened[2] = {-1, -1}, status;
  (void)state;
  NEEDS_SHARING;
  folder_path(&folder, "renders.db-wal", log);
  assert_true(pipe(go) == 0 && pipe(opened) == 0);
  other = fork();
  assert_true(other >= 0);
  if (other == 0) { /* opens, and closes when it is told to */
    close(go[1]);
    if (!open_it() || write(opened[1], "y", 1) != 1 || read(go[0], &byte, 1))
      _exit(1);
    ledger_close(ledger);
    _exit(0);
  }
  assert_int_equal(read(opened[0], &byte, 1), 1);
  ledger = open_ledger();
  close(open(path, O_RDONLY));
  close(go[1]);
  while (waitpid(other, &status, 0) < 0)
    assert_int_equal(errno, EINTR);
  assert_int_equal(status, 0);
  assert_int_equal(access(log, F_OK), 0);
  close(go[0]), close(opened[0]), close(opened[1]);
  intend(ledger, "k");
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "k");
  ledger_close(ledger);
  assert_int_not_equal(access(log, F_OK), 0); /* and the last takes it away */
}

/* ---- tenants ---- */

static const char *intend_for(const char *key) {
  static char code[32];
  LedgerEntry entry = entry_for(key);
  Failure failure = {0};
  entry.tenant = "acme";
  code[0] = '\0';
  if (!ledger_intend(ledger, &entry, false, &failure))
    snprintf(code, sizeof code, "%s", failure.code);
  failure_clear(&failure);
  return code;
}

static bool spend(void) {
  if (!open_it() || *intend_for("its"))
    return false;
  flush(ledger);
  return true;
}

static void a_budget_holds_over_processes(void **state) {
  (void)state;
  NEEDS_SHARING;
  run_sql("INSERT INTO tenants (id, budget) VALUES ('acme', 50)");
  assert_true(begin(spend));
  ledger = open_ledger();
  assert_string_equal(intend_for("2"), "");
  assert_string_equal(intend_for("3"), "tenant_budget_exceeded");
  flush(ledger);
  end();
  ledger_close(ledger);
}

/* Whoever made the first tenant: all count, from then on. */
static void a_tenant_of_somebody_else_is_counted(void **state) {
  (void)state;
  NEEDS_SHARING;
  ledger = open_ledger();
  assert_string_equal(intend_for("1"), "tenant_unknown");
  flush(ledger);
  run_sql("INSERT INTO tenants (id, budget) VALUES ('acme', 50)");
  assert_string_equal(intend_for("2"), "");
  flush(ledger);
  assert_string_equal(intend_for("3"), "");
  ledger_tell(ledger, "2", &(LedgerNews){.state = "failed", .charged = "yes"});
  flush(ledger);
  assert_string_equal(intend_for("4"), "tenant_budget_exceeded");
  flush(ledger);
  ledger_close(ledger);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(several_spend_at_once),
      TEST(who_works_on_a_row_is_known_while_they_live),
      TEST(nobody_is_told_by_what_is_no_name),
      TEST(a_row_is_taken_from_nobody_who_may_live),
      TEST(who_parts_lets_go_of_its_own_rows),
      TEST(a_claim_is_had_by_the_first),
      TEST(a_claim_on_another_file_is_none),
      TEST(who_opens_is_waited_for),
      TEST(one_may_have_it_alone),
      TEST(who_wants_it_alone_waits_for_the_others),
      TEST(two_clients_of_a_process_do_not_share),
      TEST(another_name_is_kept_away),
      TEST(who_is_not_the_last_leaves_the_log),
      TEST(a_budget_holds_over_processes),
      TEST(a_tenant_of_somebody_else_is_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
