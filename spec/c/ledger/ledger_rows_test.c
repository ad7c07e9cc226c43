/* The rows of the ledger: what is recorded of a job, what news of it change,
 * and which rows are found. */
#include "one_ledger.h"

static void a_job_is_recorded_as_it_will_be_sent(void **state) {
  Ledger *ledger = open_ledger();
  LedgerReader *reader;
  LedgerRow row;
  (void)state;
  intend(ledger, "k");
  assert_string_equal(find(&(LedgerFilter){0}), ""); /* not flushed yet */
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.key, "k");
  assert_string_equal(row.state, "intent");
  assert_string_equal(row.charged, "no");
  assert_string_equal(row.base_url, "http://localhost:1");
  assert_string_equal(row.mode, "text-to-image");
  assert_string_equal(row.prompt, "a cup");
  assert_string_equal(row.ratio, "1:1");
  assert_string_equal(row.metadata, "{\"a\":\"b\"}");
  assert_int_equal(row.count, 2);
  assert_int_equal(row.cost, 20);
  assert_int_equal(row.attempts, 0);
  assert_int_equal(row.body_length, 3);
  assert_memory_equal(row.body, "{\0}", 3);
  assert_null(row.job_id);
  assert_null(row.answer);
  assert_true(row.created_at > 1e9);
  ledger_reader_close(reader);
  ledger_close(ledger);
}

static void news_leave_alone_what_they_do_not_tell(void **state) {
  Ledger *ledger = open_ledger();
  LedgerReader *reader;
  LedgerRow row;
  (void)state;
  intend(ledger, "k");
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "accepted",
                            .charged = "yes",
                            .attempts = 2,
                            .status = 200,
                            .answer = "{1\0}",
                            .answer_length = 4});
  ledger_tell(ledger, "k", &(LedgerNews){.job_id = "id-1", .attempts = 1});
  ledger_tell(ledger, NULL,
              &(LedgerNews){.job_id = "id-1",
                            .base_url = "http://localhost:1",
                            .result = "{2}",
                            .result_length = 3});
  ledger_tell(ledger, NULL, /* another service's job of the same name */
              &(LedgerNews){.job_id = "id-1",
                            .base_url = "http://localhost:2",
                            .state = "failed",
                            .result = "{3}",
                            .result_length = 3});
  ledger_tell(ledger, "other", &(LedgerNews){.state = "failed"});
  ledger_save_file(ledger, "k", 2, "/b.png");
  ledger_save_file(ledger, "k", 1, "/a.png");
  ledger_save_file(ledger, "k", 1, "/a.png");
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.state, "accepted");
  assert_string_equal(row.charged, "yes");
  assert_string_equal(row.job_id, "id-1");
  assert_int_equal(row.attempts, 2);
  assert_int_equal(row.status, 200);
  assert_int_equal(row.answer_length, 4);
  assert_memory_equal(row.answer, "{1\0}", 4);
  assert_memory_equal(row.result, "{2}", 3);
  assert_string_equal(ledger_reader_file(reader, "k", 1), "/a.png");
  assert_string_equal(ledger_reader_file(reader, "k", 2), "/b.png");
  assert_null(ledger_reader_file(reader, "k", 3));
  ledger_reader_close(reader);
  ledger_close(ledger);
}

static void what_was_not_flushed_is_not_there(void **state) {
  Ledger *ledger = open_ledger();
  (void)state;
  intend(ledger, "k");
  flush(ledger);
  intend(ledger, "l");
  ledger_close(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "k");
  ledger = open_ledger();
  intend(ledger, "l");
  flush(ledger);
  ledger_close(ledger);
  assert_string_equal(find(&(LedgerFilter){0}), "kl");
}

static void filters_restrict(void **state) {
  static const char *const states[] = {
      "intent", "sent",    "accepted", "unknown",   "succeeded",
      "failed", "refused", "unsent",   "cancelled", "abandoned"};
  Ledger *ledger = open_ledger();
  (void)state;
  for (size_t i = 0; i < COUNT(states); i++) {
    char key[2] = {(char)('a' + i), '\0'};
    char id[] = {'i', 'd', key[0], '\0'};
    intend(ledger, key);
    ledger_tell(ledger, key, &(LedgerNews){.state = states[i], .job_id = id});
  }
  flush(ledger);
  run_sql("UPDATE jobs SET created_at = unicode(key) - unicode('a') + 100");
  assert_string_equal(find(&(LedgerFilter){0}), "abcdefghij");
  assert_string_equal(find(&(LedgerFilter){.newest_first = true}),
                      "jihgfedcba");
  assert_string_equal(find(&(LedgerFilter){.unfinished = true}), "abcd");
  assert_string_equal(find(&(LedgerFilter){.key = "c"}), "c");
  assert_string_equal(find(&(LedgerFilter){.job_id = "ide"}), "e");
  assert_string_equal(find(&(LedgerFilter){.state = "refused"}), "g");
  assert_string_equal(find(&(LedgerFilter){.since = 107}), "hij");
  assert_string_equal(find(&(LedgerFilter){.until = 101}), "ab");
  assert_string_equal(find(&(LedgerFilter){.limit = 2}), "ab");
  assert_string_equal(
      find(&(LedgerFilter){.since = 101, .until = 103, .limit = 2}), "bc");
  assert_string_equal(find(&(LedgerFilter){.key = "c", .state = "sent"}), "");
  ledger_close(ledger);
}

static void a_service_is_known_however_it_is_spelled(void **state) {
  Ledger *ledger = open_ledger();
  (void)state;
  intend(ledger, "k");
  ledger_tell(ledger, "k", &(LedgerNews){.state = "accepted", .job_id = "j"});
  flush(ledger);
  assert_true(ledger_has_other(ledger, "HTTP://LocalHost:1/", "j", "l"));
  assert_false(ledger_has_other(ledger, "http://localhost:2", "j", "l"));
  ledger_tell(ledger, NULL,
              &(LedgerNews){.state = "failed",
                            .job_id = "j",
                            .base_url = "http://localhost:2"});
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){.state = "accepted"}), "k");
  ledger_tell(ledger, NULL,
              &(LedgerNews){.state = "succeeded",
                            .job_id = "j",
                            .result = "{}",
                            .result_length = 2,
                            .base_url = "HTTP://LocalHost:1/"});
  flush(ledger);
  assert_string_equal(find(&(LedgerFilter){.state = "succeeded"}), "k");
  ledger_close(ledger);
}

/* ---- every state, and every news ---- */

#define UNFINISHED "intent sent accepted unknown"

/* Which states the news may replace; by the word of the one who sends it, or of
 * somebody else. */
typedef struct Transition {
  const char *news;
  const char *by_sender;
  const char *by_others;
} Transition;

static const Transition transitions[] = {
    {"intent", "intent sent refused unsent", "intent refused unsent"},
    {"unsent", "intent sent refused unsent", "intent refused unsent"},
    {"refused", "intent sent refused unsent", "intent refused unsent"},
    {"unknown", UNFINISHED " refused unsent", UNFINISHED " refused unsent"},
    {"accepted", UNFINISHED " refused unsent cancelled abandoned",
     UNFINISHED " refused unsent cancelled abandoned"},
    {"cancelled", UNFINISHED " refused unsent abandoned",
     UNFINISHED " refused unsent abandoned"},
    {"succeeded", UNFINISHED " refused unsent cancelled abandoned failed",
     UNFINISHED " refused unsent cancelled abandoned failed"},
    {"failed", UNFINISHED " refused unsent cancelled abandoned",
     UNFINISHED " refused unsent cancelled abandoned"},
};

static bool is_listed(const char *list, const char *word) {
  size_t length = strlen(word);
  for (const char *at = list; (at = strstr(at, word)); at += length)
    if ((at == list || at[-1] == ' ') && (!at[length] || at[length] == ' '))
      return true;
  return false;
}

/* A job that may have been paid is never said to be unsent again, whoever looks
 * at it, nor one that was given up opened again. */
static void a_row_goes_where_it_may(void **state) {
  static const char *const states[] = {
      "intent", "sent",    "accepted", "unknown",   "succeeded",
      "failed", "refused", "unsent",   "cancelled", "abandoned"};
  Ledger *ledger = open_ledger();
  char sql[128];
  (void)state;
  intend(ledger, "k");
  flush(ledger);
  for (size_t i = 0; i < COUNT(transitions); i++)
    for (size_t j = 0; j < COUNT(states); j++)
      for (int senders = 0; senders < 2; senders++) {
        const Transition *to = &transitions[i];
        bool moves =
            is_listed(senders ? to->by_sender : to->by_others, states[j]);
        LedgerNews news = {.state = to->news,
                           .attempt_id = senders ? "k" : NULL};
        const char *after = moves ? to->news : states[j];
        snprintf(sql, sizeof sql, "UPDATE jobs SET state = '%s'", states[j]);
        run_sql(sql);
        ledger_tell(ledger, "k", &news);
        flush(ledger);
        check(*find(&(LedgerFilter){.state = after}), "%s to %s by %d: not %s",
              states[j], to->news, senders, after);
      }
  ledger_close(ledger);
}

/* What is known of a job's money is not taken back with it. */
static void what_was_charged_stays_so(void **state) {
  Ledger *ledger = open_ledger();
  LedgerReader *reader;
  LedgerRow row;
  (void)state;
  intend(ledger, "k");
  ledger_tell(ledger, "k",
              &(LedgerNews){.state = "accepted", .charged = "yes"});
  ledger_tell(
      ledger, "k",
      &(LedgerNews){.state = "unsent", .charged = "no", .attempt_id = "k"});
  flush(ledger);
  reader = first_row(&row);
  assert_string_equal(row.state, "accepted");
  assert_string_equal(row.charged, "yes");
  ledger_reader_close(reader);
  ledger_close(ledger);
}

/* ---- an entry ---- */

static void an_entry_is_copied_without_what_the_job_has(void **state) {
  LedgerEntry entry = entry_for("k");
  LedgerEntry *copy;
  char prompt[] = "a pot";
  (void)state;
  entry.prompt = prompt;
  entry.ratio = NULL;
  copy = ledger_entry_copy(&entry);
  prompt[0] = '?';
  assert_string_equal(copy->prompt, "a pot");
  assert_null(copy->ratio);
  assert_null(copy->key);
  assert_null(copy->body);
  assert_int_equal(copy->count, 2);
  assert_int_equal(copy->cost, 20);
  ledger_entry_free(copy);
  ledger_entry_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_job_is_recorded_as_it_will_be_sent),
      TEST(news_leave_alone_what_they_do_not_tell),
      TEST(what_was_not_flushed_is_not_there),
      TEST(filters_restrict),
      TEST(a_service_is_known_however_it_is_spelled),
      TEST(a_row_goes_where_it_may),
      TEST(what_was_charged_stays_so),
      cmocka_unit_test(an_entry_is_copied_without_what_the_job_has),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
