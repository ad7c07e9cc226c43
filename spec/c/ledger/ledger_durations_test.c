/* How long jobs took: recorded with their result, and found again by the next
 * process. */
#include "one_ledger.h"

#include "engine/core/account.h"

#include <math.h>
#include <sys/syscall.h>
#include <unistd.h>

static double wall_ahead; /* seconds: how far the wall clock was set forward */

/* Stands in front of the C library's: the engine calls this one. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t which, struct timespec *time) {
  long code = syscall(SYS_clock_gettime, which, time);
  if (which == CLOCK_REALTIME)
    time->tv_sec += (time_t)wall_ahead;
  return (int)code;
}

#define SERVICE "http://localhost:1"

static void tell(Ledger *ledger, const char *key, double seconds) {
  intend(ledger, key);
  ledger_tell(ledger, key,
              &(LedgerNews){.state = "succeeded", .seconds = seconds});
}

static void the_first_word_on_a_duration_stays(void **state) {
  Ledger *ledger = open_ledger();
  LedgerDuration found[4];
  (void)state;
  tell(ledger, "k", 12.5);
  ledger_tell(ledger, "k", &(LedgerNews){.charged = "yes"});
  ledger_tell(ledger, "k", &(LedgerNews){.seconds = 99});
  flush(ledger);
  assert_int_equal(ledger_durations(ledger, SERVICE, found, 4), 1);
  assert_true(found[0].seconds == 12.5 && found[0].count == 2);
  assert_false(found[0].images);
  ledger_close(ledger);
}

/* Kept in memory while the file cannot be written, as all news are. */
static void a_duration_outlives_a_ledger_that_is_down(void **state) {
  Ledger *ledger = open_ledger();
  LedgerDuration found[4];
  Failure failure = {0};
  sqlite3 *other;
  (void)state;
  intend(ledger, "k");
  flush(ledger);
  assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
  sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "succeeded", .seconds = 12.5});
  assert_false(ledger_flush(ledger, &failure));
  failure_clear(&failure);
  sqlite3_close(other);
  assert_true(ledger_restart(ledger, true));
  flush(ledger);
  assert_int_equal(ledger_durations(ledger, SERVICE, found, 4), 1);
  ledger_close(ledger);
}

static void the_newest_of_the_service_are_found(void **state) {
  static const char rows[] =
      "DELETE FROM bodies; DELETE FROM jobs;"
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
      " WHERE i < 100)"
      "INSERT INTO jobs (key, state, created_at, updated_at, base_url, count,"
      " cost, mode, seconds) SELECT 'k' || i, CASE i % 5 WHEN 1 THEN 'failed'"
      " ELSE 'succeeded' END, i, i, CASE i % 5 WHEN 2 THEN 'http://other'"
      " ELSE 'HTTP://localhost:1/' END, 1 + i % 4, 10, CASE i % 3 WHEN 0 THEN"
      " 'image-to-image' ELSE 'text-to-image' END,"
      " CASE i % 5 WHEN 3 THEN NULL ELSE i END FROM n;";
  LedgerDuration found[10];
  Ledger *ledger;
  (void)state;
  ledger_close(open_ledger());
  run_sql(rows);
  ledger = open_ledger();
  assert_int_equal(ledger_durations(ledger, SERVICE, found, 10), 6);
  assert_true(found[0].seconds == 100 && found[1].seconds == 99);
  assert_true(found[2].seconds == 95 && found[5].seconds == 89);
  assert_true(found[1].images && found[1].count == 1 + 99 % 4);
  assert_false(found[0].images);
  assert_int_equal(ledger_durations(ledger, "http://none", found, 10), 0);
  ledger_close(ledger);
}

static AccountSettings settings(void) {
  return (AccountSettings){.service.base_url = SERVICE,
                           .service.api_key = "key",
                           .service.user_agent = "agent/1",
                           .max_active = 2,
                           .learns = true,
                           .poll_share = 1,
                           .state = {.max_attempts = 4}};
}

static void a_new_process_knows_what_the_last_one_learned(void **state) {
  AccountSettings with = settings();
  Ledger *ledger = open_ledger();
  Account *account;
  (void)state;
  for (int i = 0; i < 20; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%d", i);
    tell(ledger, key, 24 + i % 5);
  }
  flush(ledger);
  ledger_close(ledger);
  account = account_new(&with, open_ledger());
  assert_non_null(account);
  /* Two images; and of those with one nothing else is known. */
  for (unsigned class = poll_class(false, 1); class <= 2; class ++)
    assert_true(fabs(account_expect(account, class, 0, 0.5) - 26) < 2);
  assert_true(account->settings.state.poll.plans[poll_class(false, 2)]);
  assert_true(isnan(account_expect(account, POLL_CLASS_NONE, 0, 0.5)));
  assert_true(isnan(account_expect(account, POLL_CLASSES, 0, 0.5)));
  account_drop(account);
  with.learns = false; /* what is known is known; polls are as was said */
  account = account_new(&with, open_ledger());
  assert_null(account->settings.state.poll.plans);
  assert_true(fabs(account_expect(account, 1, 0, 0.5) - 26) < 2);
  account_drop(account);
}

/* In order, and one after the other: a change of the service is seen as one. */
static void the_oldest_are_learned_first(void **state) {
  AccountSettings with = settings();
  Ledger *ledger = open_ledger();
  Account *account;
  (void)state;
  for (int i = 0; i < 30; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%d", i);
    tell(ledger, key, (i < 20 ? 100 : 10) + i % 5);
  }
  flush(ledger);
  ledger_close(ledger);
  run_sql("UPDATE jobs SET created_at = 1000 + 200 * rowid");
  account = account_new(&with, open_ledger());
  assert_true(fabs(account_expect(account, 2, 0, 0.5) - 12) < 2);
  account_drop(account);
}

/* So many jobs that took that long, told to the ledger by one process. */
static void tell_many(char first, unsigned count, double seconds) {
  Ledger *ledger = open_ledger();
  for (unsigned i = 0; i < count; i++) {
    const char key[] = {first, (char)('a' + i), 0};
    tell(ledger, key, seconds + i % 5);
  }
  flush(ledger);
  ledger_close(ledger);
}

/* What a new process expects then. */
static double expected(double chance) {
  AccountSettings with = settings();
  Account *account = account_new(&with, open_ledger());
  double time = account_expect(account, 2, 0, chance);
  account_drop(account);
  return time;
}

/* As others may have written it, or a bug. */
static void what_cannot_be_a_duration_is_left_out(void **state) {
  static const char *const odd[] = {"seconds = NULL",
                                    "seconds = 0",
                                    "seconds = -1",
                                    "seconds = -1e300",
                                    "seconds = 1e300",
                                    "seconds = 9e999",
                                    "seconds = -9e999",
                                    "seconds = 'NaN'",
                                    "seconds = 'soon'",
                                    "seconds = x'00ff'",
                                    "seconds = 1e7",
                                    "seconds = '1e300'",
                                    "count = 99",
                                    "count = -1",
                                    "mode = NULL",
                                    "created_at = 9e999",
                                    "created_at = -9e999",
                                    "created_at = 1e300",
                                    "created_at = 'never'",
                                    "created_at = -1",
                                    "created_at = 4e9",
                                    "base_url = ''",
                                    "base_url = x'ff00fe41'"};
  (void)state;
  tell_many('g', 12, 24);
  tell_many('o', 12, 24);
  for (size_t i = 0; i < COUNT(odd); i++) {
    char sql[200];
    snprintf(sql, sizeof sql, "UPDATE jobs SET %s WHERE key LIKE 'o%%'",
             odd[i]);
    run_sql(sql);
    check(fabs(expected(0.5) - 26) < 2, "%s: %g", odd[i], expected(0.5));
    check(fabs(expected(0.1) - 28) < 3, "%s: %g", odd[i], expected(0.1));
    run_sql("UPDATE jobs SET seconds = 26, count = 2, mode = 'text-to-image',"
            " base_url = '" SERVICE "', created_at = 1e9 WHERE key LIKE 'o%'");
  }
}

/* A job of the class that was followed from its beginning to its end. */
static double learn(Account *account, unsigned class, Duration took,
                    double now) {
  account_follow(account, class, (Duration){took.began, 0, DURATION_OPEN});
  return account_learn(account, class, took, now);
}

/* Set back by a year between two processes, and ahead by a hundred. */
static void the_wall_clock_may_jump(void **state) {
  AccountSettings with = settings();
  Account *account;
  (void)state;
  tell_many('a', 12, 24);
  wall_ahead = -3e7;
  tell_many('b', 12, 24);
  wall_ahead = 3e9;
  tell_many('c', 12, 24);
  wall_ahead = 0;
  check(fabs(expected(0.5) - 26) < 2, "%g", expected(0.5));
  account = account_new(&with, open_ledger());
  for (int i = 0; i < 20; i++) { /* one after the other, and slower now */
    wall_ahead = (i % 3 - 1) * 1e8;
    learn(account, 2, (Duration){1000 + 100 * i, 49, 51}, 1051 + 100 * i);
  }
  wall_ahead = 0;
  assert_true(fabs(account_expect(account, 2, 0, 0.5) - 50) < 2);
  account_drop(account);
}

/* A ledger has one client at a time; each goes by what those before it saw. */
static void clients_in_turn_learn_from_each_other(void **state) {
  (void)state;
  tell_many('a', 3, 24);
  assert_true(isnan(expected(0.5)));
  tell_many('b', 3, 24);
  check(fabs(expected(0.5) - 25) < 2, "%g", expected(0.5));
  tell_many('c', 12, 24);
  check(fabs(expected(0.5) - 26) < 2, "%g", expected(0.5));
}

/* The number that the ledger keeps, of a job whose first poll found it done. */
static void what_is_recorded_is_what_is_likely(void **state) {
  AccountSettings with = settings();
  Account *account = account_new(&with, NULL);
  double seconds = 0;
  (void)state;
  assert_null(account->polls.all); /* nothing is known, nothing is taken */
  assert_null(atomic_load(&account->forecasts));
  seconds = learn(account, 1, (Duration){0, 2, 4}, 4);
  assert_true(seconds == 3); /* nothing else is known */
  for (int i = 1; i <= 20; i++)
    learn(account, 1, (Duration){100 * i, 2.8f, 3.2f}, 100 * i + 4);
  seconds = learn(account, 1, (Duration){3000, 0, 10}, 3010);
  check(fabs(seconds - 3) < 0.3, "%g", seconds);
  seconds = learn(account, 1, (Duration){3100, 6, 8}, 3108);
  assert_true(seconds > 6 && seconds < 8);
  account_drop(account);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_first_word_on_a_duration_stays),
      TEST(a_duration_outlives_a_ledger_that_is_down),
      TEST(the_newest_of_the_service_are_found),
      TEST(a_new_process_knows_what_the_last_one_learned),
      TEST(the_oldest_are_learned_first),
      TEST(what_cannot_be_a_duration_is_left_out),
      TEST(the_wall_clock_may_jump),
      TEST(clients_in_turn_learn_from_each_other),
      TEST(what_is_recorded_is_what_is_likely),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
