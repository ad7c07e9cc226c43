/* A tenant's budget: kept to the credit, whatever else is in the transaction,
 * and no reason not to record what is known. */
#include "tenant_sums.h"

/* ---- budgets ---- */

static void a_budget_is_kept_to_the_credit(void **state) {
  Ledger *ledger = open_ledger();
  (void)state;
  set_budget(ledger, "a", PRICES(3) - 0.5);
  set_budget(ledger, "b", PRICES(1));
  assert_intended(ledger, "1", "a", "");
  assert_intended(ledger, "2", "a", "");
  assert_intended(ledger, "3", "a", "tenant_budget_exceeded");
  assert_intended(ledger, "4", "b", ""); /* in the same transaction */
  assert_intended(ledger, "5", "b", "tenant_budget_exceeded");
  flush(ledger);
  assert_sums("a", PRICES(2), 0);
  assert_sums("b", PRICES(1), 0);
  assert_string_equal(find(&(LedgerFilter){0}), "124");
  set_budget(ledger, "a", PRICES(3));
  assert_intended(ledger, "3", "a", "");
  flush(ledger);
  assert_sums("a", PRICES(3), 0);
  ledger_close(ledger);
}

static void what_comes_back_can_be_spent_again(void **state) {
  Ledger *ledger = open_ledger();
  (void)state;
  set_budget(ledger, "a", PRICES(1));
  assert_intended(ledger, "1", "a", "");
  tell(ledger, "1", "unsent", "no");
  assert_sums("a", 0, 0);
  assert_intended(ledger, "2", "a", "");
  tell(ledger, "2", "failed", "refund_expected");
  assert_intended(ledger, "3", "a", "");
  tell(ledger, "3", "unknown", "unknown");
  assert_sums("a", PRICES(1), 0);
  assert_intended(ledger, "4", "a", "tenant_budget_exceeded");
  tell(ledger, "3", "abandoned", NULL); /* it may have been paid */
  assert_sums("a", 0, PRICES(1));
  assert_intended(ledger, "4", "a", "tenant_budget_exceeded");
  ledger_close(ledger);
}

static void a_tenant_must_have_been_made(void **state) {
  Ledger *ledger = open_ledger();
  (void)state;
  assert_intended(ledger, "1", "a", "tenant_unknown");
  assert_intended(ledger, "2", "", "");
  assert_intended(ledger, "3", NULL, "");
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "23");
  assert_string_equal(find(&(LedgerFilter){.tenant = ""}), "");
  ledger_close(ledger);
}

static void a_key_is_asked_for_before_a_budget(void **state) {
  Ledger *ledger = open_ledger();
  (void)state;
  set_budget(ledger, "a", PRICES(1));
  assert_intended(ledger, "1", "a", "");
  assert_intended(ledger, "1", "a", ""); /* it was not told, and asks again */
  flush(ledger);
  assert_sums("a", PRICES(1), 0);
  ledger_close(ledger);
}

static void a_budget_is_never_below_what_is_gone(void **state) {
  TenantChange low = {.has_budget = true, .budget = PRICES(2) - 1};
  TenantChange heavy = {.weight = 2.5};
  Ledger *ledger = open_ledger();
  Failure failure = {0};
  sqlite3 *db = look();
  (void)state;
  set_budget(ledger, "a", (double)INFINITY);
  assert_intended(ledger, "1", "a", "");
  assert_intended(ledger, "2", "a", "");
  tell(ledger, "1", "succeeded", "yes");
  assert_false(ledger_change_tenant(ledger, "a", &low, &failure));
  assert_string_equal(failure.kind, "budget");
  assert_string_equal(failure.code, "tenant_budget_too_low");
  failure_clear(&failure);
  assert_true(tenant_in(db, "a").budget == (double)INFINITY);
  set_budget(ledger, "a", PRICES(2));
  assert_true(ledger_change_tenant(ledger, "a", &heavy, &failure));
  assert_true(tenant_in(db, "a").budget == PRICES(2));
  assert_true(tenant_in(db, "a").weight == 2.5);
  set_budget(ledger, "a", (double)INFINITY);
  assert_true(tenant_in(db, "a").weight == 2.5);
  assert_sums("a", PRICES(1), PRICES(1));
  sqlite3_close(db);
  ledger_close(ledger);
}

/* ---- what no budget may keep out ---- */

static void a_fact_counts_even_over_the_budget(void **state) {
  Ledger *ledger = open_ledger();
  sqlite3 *db = look();
  (void)state;
  set_budget(ledger, "a", PRICES(1));
  assert_intended(ledger, "1", "a", "");
  tell(ledger, "1", "failed", "refund_expected");
  assert_intended(ledger, "2", "a", "");
  tell(ledger, "1", "succeeded", "yes"); /* after all */
  assert_false(ledger_is_down(ledger));
  assert_sums("a", PRICES(1), PRICES(1));
  assert_true(tenant_in(db, "a").budget == PRICES(2));
  assert_intended(ledger, "3", "a", "tenant_budget_exceeded");
  sqlite3_close(db);
  ledger_close(ledger);
}

/* Somebody has edited the file. */
static void facts_are_told_without_their_tenant(void **state) {
  static const char *const edits[] = {
      "DELETE FROM tenants", "UPDATE tenants SET reserved = 0, spent = 0",
      "UPDATE tenants SET reserved = 0, spent = 5"};
  (void)state;
  for (size_t i = 0; i < COUNT(edits); i++) {
    Ledger *ledger = open_ledger();
    char name[8], key[8];
    snprintf(name, sizeof name, "t%zu", i);
    snprintf(key, sizeof key, "k%zu", i);
    set_budget(ledger, name, PRICES(1));
    assert_intended(ledger, key, name, "");
    flush(ledger);
    run_sql(edits[i]);
    tell(ledger, key, "succeeded", "yes");
    assert_false(ledger_is_down(ledger));
    assert_string_equal(find(&(LedgerFilter){.key = key, .state = "succeeded"}),
                        key);
    ledger_close(ledger);
  }
}

/* Somebody has taken it out of the file: the audit says so, and to make it once
 * more gives nothing back. */
static void one_that_is_made_anew_has_what_it_had(void **state) {
  Ledger *ledger = open_ledger();
  TenantChange low = {.has_budget = true, .budget = PRICES(2) - 1};
  Failure failure = {0};
  LedgerReader *reader;
  LedgerFinding finding;
  (void)state;
  set_budget(ledger, "a", PRICES(3));
  assert_intended(ledger, "1", "a", "");
  assert_intended(ledger, "2", "a", "");
  tell(ledger, "1", "succeeded", "yes");
  run_sql("DELETE FROM tenants");
  reader = ledger_reader_open(path, &(LedgerFilter){0}, &failure);
  assert_true(ledger_reader_finding(reader, &finding, &failure));
  assert_string_equal(finding.code, "no_tenant");
  assert_string_equal(finding.detail, "tenant 'a' of 2 jobs");
  ledger_reader_close(reader);
  assert_false(ledger_change_tenant(ledger, "a", &low, &failure));
  assert_string_equal(failure.code, "tenant_budget_too_low");
  failure_clear(&failure);
  set_budget(ledger, "a", PRICES(2));
  assert_sums("a", PRICES(1), PRICES(1));
  assert_intended(ledger, "3", "a", "tenant_budget_exceeded");
  ledger_close(ledger);
}

/* ---- durable together, or not at all ---- */

static void what_was_not_flushed_reserves_nothing(void **state) {
  Ledger *ledger = open_ledger();
  (void)state;
  set_budget(ledger, "a", PRICES(1));
  assert_intended(ledger, "1", "a", "");
  ledger_close(ledger);
  assert_sums("a", 0, 0);
  assert_string_equal(find(&(LedgerFilter){0}), "");
  ledger = open_ledger(); /* which has tenants by now */
  assert_intended(ledger, "1", "a", "");
  assert_intended(ledger, "2", "a", "tenant_budget_exceeded");
  flush(ledger);
  assert_sums("a", PRICES(1), 0);
  ledger_close(ledger);
}

/* With the first tenant, whatever is in the transaction. */
static void counting_begins_once(void **state) {
  Ledger *ledger = open_ledger();
  (void)state;
  intend(ledger, "1");
  set_budget(ledger, "a", PRICES(1));
  set_budget(ledger, "b", PRICES(1));
  assert_string_equal(find(&(LedgerFilter){0}), "1");
  assert_intended(ledger, "2", "a", "");
  assert_intended(ledger, "3", "c", "tenant_unknown");
  flush(ledger);
  assert_sums("a", PRICES(1), 0);
  ledger_close(ledger);
}

static void what_is_told_again_counts_once(void **state) {
  Ledger *ledger = open_ledger();
  sqlite3 *other = look();
  (void)state;
  set_budget(ledger, "a", PRICES(2));
  assert_intended(ledger, "1", "a", "");
  assert_intended(ledger, "2", "a", "");
  flush(ledger);
  sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  ledger_tell(ledger, "1",
              &(LedgerNews){.state = "succeeded", .charged = "yes"});
  ledger_tell(ledger, "2",
              &(LedgerNews){.state = "failed", .charged = "refund_expected"});
  assert_true(ledger_is_down(ledger));
  assert_sums("a", PRICES(2), 0);
  sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
  assert_true(ledger_restart(ledger, false));
  flush(ledger);
  assert_sums("a", 0, PRICES(1));
  sqlite3_close(other);
  ledger_close(ledger);
}

static void jobs_of_nobody_touch_no_tenant(void **state) {
  Ledger *ledger = open_ledger();
  (void)state;
  set_budget(ledger, "a", 0);
  intend(ledger, "1");
  tell(ledger, "1", "succeeded", "yes");
  assert_sums("a", 0, 0);
  ledger_close(ledger);
}

/* ---- the index ---- */

static void a_file_without_its_index_gets_it(void **state) {
  Ledger *ledger = open_ledger();
  LedgerFilter filter = {.tenant = "a", .state = "intent"};
  (void)state;
  set_budget(ledger, "a", PRICES(2));
  assert_intended(ledger, "1", "a", "");
  assert_intended(ledger, "2", "a", "");
  intend(ledger, "3");
  flush(ledger);
  assert_string_equal(find(&filter), "12");
  ledger_close(ledger);
  run_sql("DROP INDEX jobs_by_tenant_state_and_time");
  assert_string_equal(find(&filter), "12"); /* as it is */
  ledger_close(open_ledger());
  assert_string_equal(find(&filter), "12");
  run_sql("DROP INDEX jobs_by_tenant_state_and_time"); /* is there again */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_budget_is_kept_to_the_credit),
      TEST(what_comes_back_can_be_spent_again),
      TEST(a_tenant_must_have_been_made),
      TEST(a_key_is_asked_for_before_a_budget),
      TEST(a_budget_is_never_below_what_is_gone),
      TEST(a_fact_counts_even_over_the_budget),
      TEST(facts_are_told_without_their_tenant),
      TEST(one_that_is_made_anew_has_what_it_had),
      TEST(what_was_not_flushed_reserves_nothing),
      TEST(counting_begins_once),
      TEST(what_is_told_again_counts_once),
      TEST(jobs_of_nobody_touch_no_tenant),
      TEST(a_file_without_its_index_gets_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
