/* Who may send the job of a row, and what the row says once it goes again. */
#include "one_ledger.h"

static void a_key_is_taken_once(void **state) {
  Ledger *ledger = open_ledger();
  LedgerEntry entry = entry_for("k");
  Failure failure = {0};
  (void)state;
  intend(ledger, "k");
  assert_true(ledger_intend(ledger, &entry, false, &failure)); /* its own */
  entry.attempt_id = "other";
  assert_false(ledger_intend(ledger, &entry, false, &failure));
  assert_string_equal(failure.code, "key_in_use");
  failure_clear(&failure);
  intend(ledger, "l"); /* the others go on */
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "kl");
  ledger_close(ledger);
}

static void again_needs_the_very_same_body(void **state) {
  Ledger *ledger = open_ledger();
  LedgerEntry entry = entry_for("k");
  Failure failure = {0};
  (void)state;
  assert_false(ledger_intend(ledger, &entry, true, &failure));
  assert_string_equal(failure.code, "key_in_use");
  failure_clear(&failure);
  intend(ledger, "k");
  assert_true(ledger_intend(ledger, &entry, true, &failure));
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){.state = "intent"}), "k");
  ledger_tell(ledger, "k", &(LedgerNews){.state = "unknown"});
  assert_false(ledger_intend(ledger, &entry, true, &failure));
  assert_string_equal(failure.code, "not_ours_to_send");
  failure_clear(&failure);
  ledger_tell(ledger, "k", &(LedgerNews){.job_id = "id"});
  entry.maybe_charged = true;
  assert_true(ledger_intend(ledger, &entry, true, &failure));
  flush(ledger); /* a crash now: it may have been made, as before */
  assert_string_equal(find(&(LedgerFilter){.state = "sent"}), "k");
  assert_string_equal(find(&(LedgerFilter){.job_id = "id"}), "k");
  entry.body = "{1}";
  assert_false(ledger_intend(ledger, &entry, true, &failure));
  assert_string_equal(failure.code, "not_ours_to_send");
  failure_clear(&failure);
  ledger_close(ledger);
}

static bool permit(Ledger *ledger, const char *held, const char *next,
                   bool again, const char *code) {
  LedgerSend send = {
      .attempt_id = held, .next_id = next, .again = again, .attempts = 1};
  Failure failure = {0};
  bool permitted = ledger_permit(ledger, "k", &send, &failure);
  check(permitted == !code, "%s after %s", next, held);
  if (code)
    assert_string_equal(failure.code, code);
  failure_clear(&failure);
  return permitted;
}

/* Whose row it is may send it once, and nobody else. */
static void a_row_is_sent_by_one(void **state) {
  Ledger *ledger = open_ledger();
  LedgerEntry entry = entry_for("k");
  Failure failure = {0};
  (void)state;
  intend(ledger, "k"); /* under the attempt id "k" */
  permit(ledger, "other", "other-1", false, "not_ours_to_send");
  permit(ledger, "k", "k-1", true, "not_ours_to_send");
  permit(ledger, "k", "k-1", false, NULL);
  permit(ledger, "k", "k-1", false, NULL); /* in doubt: it is read back */
  permit(ledger, "k", "k-2", false, "not_ours_to_send");
  permit(ledger, "k-1", "k-2", true, NULL); /* a repeat */
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "intent",
                            .attempt_id = "k-1",
                            .next_id = "k-9"}); /* it was, but is not */
  assert_string_equal((flush(ledger), find(&(LedgerFilter){.state = "sent"})),
                      "k");
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "intent", .attempt_id = "k-2"});
  entry.attempt_id = "b";
  assert_true(ledger_intend(ledger, &entry, true, &failure));
  permit(ledger, "k-2", "k-3", false, "not_ours_to_send");
  permit(ledger, "b", "b-1", false, NULL);
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "cancelled", .attempt_id = "b-1"});
  permit(ledger, "b-1", "b-2", true, "not_ours_to_send");
  permit(ledger, "b-1", "b-2", false, "not_ours_to_send");
  assert_false(ledger_intend(ledger, &entry, true, &failure));
  assert_string_equal(failure.code, "not_ours_to_send");
  failure_clear(&failure);
  ledger_close(ledger);
}

/* What an earlier create came to stays, until a later one names a job. */
static void a_paid_job_that_is_sent_again_is_not_forgotten(void **state) {
  Ledger *ledger = open_ledger();
  LedgerEntry entry = entry_for("k");
  Failure failure = {0};
  LedgerReader *reader;
  LedgerRow row;
  (void)state;
  intend(ledger, "k");
  permit(ledger, "k", "k-1", false, NULL);
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "accepted",
                            .charged = "yes",
                            .job_id = "x",
                            .attempts = 1,
                            .answer = "{x}",
                            .answer_length = 3});
  ledger_tell(ledger, "k", &(LedgerNews){.state = "unknown"});
  entry.attempt_id = "b";
  entry.maybe_charged = true;
  assert_true(ledger_intend(ledger, &entry, true, &failure));
  permit(ledger, "b", "b-1", true, NULL);
  permit(ledger, "b", "b-1", true, NULL); /* in doubt: it is one send */
  ledger_tell(
      ledger, "k",
      &(LedgerNews){.attempts = 1, .answer = "{no}", .answer_length = 4});
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "unknown", .charged = "unknown"});
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.state, "unknown");
  assert_string_equal(row.charged, "yes");
  assert_string_equal(row.job_id, "x");
  assert_int_equal(row.attempts, 2);
  assert_int_equal(row.answer_length, 3);
  ledger_reader_close(reader);
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "accepted",
                            .charged = "yes",
                            .job_id = "y",
                            .answer = "{yy}",
                            .answer_length = 4});
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.job_id, "y");
  assert_int_equal(row.answer_length, 4);
  ledger_reader_close(reader);
  ledger_tell(
      ledger, "k", /* somebody's word */
      &(LedgerNews){.state = "accepted", .charged = "unknown", .job_id = "z"});
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.charged, "unknown");
  ledger_reader_close(reader);
  ledger_close(ledger);
}

/* The commit that had both was said to have failed, and had not. */
static void a_permission_of_which_nobody_was_told_is_none(void **state) {
  Ledger *ledger = open_ledger();
  LedgerEntry entry = entry_for("k");
  Failure failure = {0};
  (void)state;
  entry.next_id = "k-1";
  for (int again = 0; again < 2; again++) {
    assert_true(ledger_intend(ledger, &entry, again, &failure));
    permit(ledger, "k", "k-1", false, NULL);
    flush(ledger);
    assert_string_equal(find(&(LedgerFilter){.state = "sent"}), "k");
    assert_true(ledger_intend(ledger, &entry, again, &failure));
    flush(ledger);
    assert_string_equal(find(&(LedgerFilter){.state = "intent"}), "k");
    permit(ledger, "k", "k-1", false, NULL);
    permit(ledger, "k", "k-2", false, "not_ours_to_send");
    entry.next_id = "other-1"; /* of somebody else it is not */
    assert_false(ledger_intend(ledger, &entry, true, &failure));
    assert_string_equal(failure.code, "not_ours_to_send");
    failure_clear(&failure);
    entry.next_id = "k-1";
    ledger_tell(ledger, "k", &(LedgerNews){.state = "intent"});
  }
  ledger_close(ledger);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_key_is_taken_once),
      TEST(again_needs_the_very_same_body),
      TEST(a_row_is_sent_by_one),
      TEST(a_paid_job_that_is_sent_again_is_not_forgotten),
      TEST(a_permission_of_which_nobody_was_told_is_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
