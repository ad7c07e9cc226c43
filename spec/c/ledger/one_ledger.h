/*
 * A fresh folder with one ledger for each test, and looking at what is in it.
 */
#ifndef GPTIMAGE2_C_ONE_LEDGER_H
#define GPTIMAGE2_C_ONE_LEDGER_H

#include "folder.h"
#include "sql.h"

#include "engine/ledger/ledger.h"
#include "engine/ledger/ledger_reader.h"

static Folder folder;
static char path[PATH_MAX];

static inline int set_up(void **state) {
  (void)state;
  folder_make(&folder);
  folder_path(&folder, "renders.db", path);
  return 0;
}

static inline int tear_down(void **state) {
  (void)state;
  folder_remove(&folder);
  return 0;
}

static inline Ledger *open_ledger(void) {
  Failure failure = {0};
  Ledger *ledger = ledger_open(path, &failure);
  check(ledger != NULL, "%s", failure.detail ? failure.detail : "");
  return ledger;
}

static inline void assert_refused(const char *code) {
  Failure failure = {0};
  assert_null(ledger_open(path, &failure));
  assert_string_equal(failure.kind, "ledger");
  assert_string_equal(failure.code, code);
  failure_clear(&failure);
}

static inline LedgerEntry entry_for(const char *key) {
  return (LedgerEntry){.key = key,
                       .base_url = "http://localhost:1",
                       .mode = "text-to-image",
                       .prompt = "a cup",
                       .ratio = "1:1",
                       .metadata = "{\"a\":\"b\"}",
                       .count = 2,
                       .cost = 20,
                       .body = "{\0}",
                       .body_length = 3,
                       .attempt_id = key};
}

static inline void intend(Ledger *ledger, const char *key) {
  LedgerEntry entry = entry_for(key);
  Failure failure = {0};
  check(ledger_intend(ledger, &entry, false, &failure), "%s", key);
}

static inline void flush(Ledger *ledger) {
  Failure failure = {0};
  assert_true(ledger_flush(ledger, &failure));
}

static inline void run_sql(const char *sql) {
  run_sql_in(path, sql);
}

/* The keys a filter finds, joined. */
static inline const char *find(const LedgerFilter *filter) {
  static char keys[256];
  Failure failure = {0};
  LedgerReader *reader = ledger_reader_open(path, filter, &failure);
  LedgerRow row;
  keys[0] = '\0';
  check(reader != NULL, "%s", failure.detail ? failure.detail : "");
  while (ledger_reader_next(reader, &row, &failure))
    strncat(keys, row.key, sizeof keys - strlen(keys) - 1);
  assert_null(failure.kind);
  ledger_reader_close(reader);
  return keys;
}

static inline LedgerReader *first_row(LedgerRow *row) {
  Failure failure = {0};
  LedgerFilter all = {0};
  LedgerReader *reader = ledger_reader_open(path, &all, &failure);
  assert_non_null(reader);
  assert_true(ledger_reader_next(reader, row, &failure));
  return reader;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
