/*
 * What a deed of one of two senders makes of a row: asked of the real ledger.
 */
#ifndef GPTIMAGE2_C_LEDGER_DEEDS_H
#define GPTIMAGE2_C_LEDGER_DEEDS_H

#include "folder.h"

#include "engine/ledger/ledger.h"

#include <sqlite3.h>

typedef enum Row {
  NONE,
  INTENT,
  SENT,
  UNKNOWN,
  ACCEPTED,
  REFUSED,
  CANCELLED,
  ABANDONED,
  ROWS
} Row;

static const char *const row_names[ROWS] = {"",          "intent",   "sent",
                                            "unknown",   "accepted", "refused",
                                            "cancelled", "abandoned"};

/* Whose attempt id the row has: nobody's who lives, or of the first or second
 * the one that they hold, or the one that they have asked for. */
typedef enum Owner { NOBODY, HELD_1, NEXT_1, HELD_2, NEXT_2, OWNERS } Owner;

static const char *const owner_ids[OWNERS] = {"x-0", "a-0", "a-1", "b-0",
                                              "b-1"};

/* What is done to the row. */
typedef enum Deed {
  INSERT,
  TAKE,
  TAKE_DOUBTED,
  PERMIT,
  PERMIT_AGAIN,
  SAY_INTENT,
  SAY_UNKNOWN,
  SAY_REFUSED,
  SAY_CANCELLED,
  TELL_ACCEPTED,
  ABANDON,
  DEEDS
} Deed;

static const Row said[DEEDS] = {[SAY_INTENT] = INTENT,
                                [SAY_UNKNOWN] = UNKNOWN,
                                [SAY_REFUSED] = REFUSED,
                                [SAY_CANCELLED] = CANCELLED};

/* What a deed makes of a row. */
typedef struct Outcome {
  bool known, done;
  Row row;
  Owner owner;
} Outcome;

static struct {
  Folder folder;
  Ledger *ledger;
  sqlite3 *db; /* another look at the file */
  unsigned deeds;
} real;

static inline LedgerEntry entry_for(const char *key, const char *id,
                                    bool doubt) {
  return (LedgerEntry){.key = key,
                       .base_url = "http://localhost:1",
                       .count = 1,
                       .cost = 10,
                       .body = "{}",
                       .body_length = 2,
                       .attempt_id = id,
                       .maybe_charged = doubt};
}

static inline bool intend(const char *key, const char *id, bool again,
                          bool doubt) {
  LedgerEntry entry = entry_for(key, id, doubt);
  Failure failure = {0};
  bool done = ledger_intend(real.ledger, &entry, again, &failure);
  failure_clear(&failure);
  return done;
}

static inline bool permit(const char *key, const char *id, const char *next,
                          bool again) {
  LedgerSend send = {
      .attempt_id = id, .next_id = next, .again = again, .attempts = 1};
  Failure failure = {0};
  bool done = ledger_permit(real.ledger, key, &send, &failure);
  failure_clear(&failure);
  return done;
}

static inline void make_row(const char *key, Row row, Owner owner) {
  const char *id = owner_ids[owner];
  if (row == NONE)
    return;
  assert_true(intend(key, id, false, false));
  if (row == SENT)
    assert_true(permit(key, id, id, false));
  else if (row != INTENT)
    ledger_tell(real.ledger, key,
                &(LedgerNews){.state = row_names[row],
                              .job_id = row == ACCEPTED ? key : NULL});
}

static inline bool do_deed(const char *key, Deed deed, const char *held,
                           const char *next) {
  switch (deed) {
  case INSERT:
    return intend(key, held, false, false);
  case TAKE:
  case TAKE_DOUBTED:
    return intend(key, held, true, deed == TAKE_DOUBTED);
  case PERMIT:
  case PERMIT_AGAIN:
    return permit(key, held, next, deed == PERMIT_AGAIN);
  case TELL_ACCEPTED:
    ledger_tell(real.ledger, key,
                &(LedgerNews){.state = "accepted", .job_id = key});
    return true;
  case ABANDON:
    ledger_tell(real.ledger, key, &(LedgerNews){.state = "abandoned"});
    return true;
  default:
    ledger_tell(real.ledger, key,
                &(LedgerNews){.state = row_names[said[deed]],
                              .attempt_id = held,
                              .next_id = next});
    return true;
  }
}

static inline void read_row(const char *key, Outcome *outcome) {
  sqlite3_stmt *statement;
  assert_int_equal(
      sqlite3_prepare_v2(real.db,
                         "SELECT state, attempt_id FROM jobs WHERE key = ?1",
                         -1, &statement, NULL),
      SQLITE_OK);
  sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
  outcome->row = NONE;
  outcome->owner = NOBODY;
  if (sqlite3_step(statement) == SQLITE_ROW) {
    const char *state = (const char *)sqlite3_column_text(statement, 0);
    const char *id = (const char *)sqlite3_column_text(statement, 1);
    while (outcome->row < ROWS && strcmp(state, row_names[outcome->row]) != 0)
      outcome->row++;
    assert_true(outcome->row < ROWS);
    for (Owner i = NOBODY; id && i < OWNERS; i++)
      if (strcmp(id, owner_ids[i]) == 0)
        outcome->owner = i;
  }
  sqlite3_finalize(statement);
}

/* What the real ledger makes of such a row. */
static inline Outcome ask_ledger(Row row, Owner owner, Deed deed, int who) {
  Outcome before, after = {.known = true};
  Failure failure = {0};
  char key[16];
  snprintf(key, sizeof key, "key-%u", ++real.deeds);
  make_row(key, row, owner);
  assert_true(ledger_flush(real.ledger, &failure));
  read_row(key, &before);
  check(before.row == row && before.owner == owner, "%s of %s cannot be made",
        row_names[row], owner_ids[owner]);
  after.done = do_deed(key, deed, owner_ids[who ? HELD_2 : HELD_1],
                       owner_ids[who ? NEXT_2 : NEXT_1]);
  assert_true(ledger_flush(real.ledger, &failure));
  read_row(key, &after);
  return after;
}

#endif
