/*
 * Two who want to send the same job, in every order of their steps: reading the
 * row, taking the job, asking for the permission, sending, being answered,
 * taking it back, cancelling, crashing and coming again.  However stale what
 * they have read, a job that may not be repeated is sent once, and none after
 * it was cancelled.
 *
 * Both use one connection: SQLite lets one transaction follow another, so that
 * two connections do the same in some order, and the orders are walked here.
 * What the row must say is kept beside it and looked at in the end.
 */
#include "folder.h"

#include "engine/ledger/ledger.h"
#include "engine/ledger/ledger_reader.h"

#define WALKS 6000
#define STEPS 24

typedef enum Row { NONE, INTENT, SENT, UNKNOWN, ACCEPTED, CANCELLED } Row;

static const char *const row_names[] = {"",        "intent",   "sent",
                                        "unknown", "accepted", "cancelled"};

typedef struct Sender {
  bool repeats; /* the service honours keys: what may have been made may go */
  Row seen;     /* what it has read, whenever */
  unsigned claim;
  unsigned sends; /* that it was permitted */
  bool taken;     /* it believes that the job is its own */
  bool marked;    /* it believes that the row says sent */
  bool permitted;
  bool gone; /* its create is out */
} Sender;

typedef struct Walk {
  Ledger *ledger;
  uint64_t *seed;
  char key[16];
  Sender senders[2];
  Row row;          /* what the row must say */
  unsigned owner;   /* and whose it must be: a claim */
  unsigned sends;   /* POSTs */
  unsigned *claims; /* given out so far, in all walks */
  bool repeated;    /* one took over what may have been made */
} Walk;

static const char *name(unsigned claim, unsigned n, char *text) {
  snprintf(text, 32, "%08x-%u", claim, n);
  return text;
}

static bool owns(const Walk *walk, const Sender *sender) {
  return sender->taken && walk->owner == sender->claim;
}

/* Whether the row lets it be taken, told in other words than the SQL's. */
static bool is_free(const Walk *walk, Row seen) {
  if (seen == NONE || seen == INTENT)
    return walk->row == seen;
  return walk->row == SENT || walk->row == UNKNOWN;
}

static void take(Walk *walk, Sender *sender) {
  char id[32];
  unsigned claim = ++*walk->claims;
  bool doubt = sender->seen == SENT || sender->seen == UNKNOWN;
  LedgerEntry entry = {.key = walk->key,
                       .base_url = "http://localhost:1",
                       .count = 1,
                       .cost = 10,
                       .body = "{}",
                       .body_length = 2,
                       .attempt_id = name(claim, 0, id),
                       .maybe_charged = doubt};
  Failure failure = {0};
  bool taken;
  if (sender->gone || sender->seen > UNKNOWN || (doubt && !sender->repeats))
    return;
  taken = ledger_intend(walk->ledger, &entry, sender->seen != NONE, &failure);
  check(taken == is_free(walk, sender->seen), "%s: seen %s, is %s", walk->key,
        row_names[sender->seen], row_names[walk->row]);
  failure_clear(&failure);
  if (!taken)
    return;
  walk->repeated = walk->repeated || doubt;
  walk->row = doubt ? SENT : INTENT;
  walk->owner = claim;
  *sender = (Sender){.repeats = sender->repeats,
                     .seen = sender->seen,
                     .claim = claim,
                     .taken = true,
                     .marked = doubt};
}

/* Twice with the same id: as one who was not told what came of a commit. */
static void ask(Walk *walk, Sender *sender) {
  char id[32], next[32];
  LedgerSend send = {.attempt_id = name(sender->claim, sender->sends, id),
                     .next_id = name(sender->claim, sender->sends + 1, next),
                     .again = sender->marked,
                     .attempts = 1};
  Failure failure = {0};
  bool right =
      owns(walk, sender) && walk->row == (sender->marked ? SENT : INTENT);
  unsigned times = 1 + random_below(walk->seed, 2);
  if (!sender->taken || sender->permitted || sender->gone)
    return;
  while (times--) {
    check(ledger_permit(walk->ledger, walk->key, &send, &failure) == right,
          "%s: permitted, row %s", walk->key, row_names[walk->row]);
    check(right || strcmp(failure.code, "not_ours_to_send") == 0, "the code");
    failure_clear(&failure);
  }
  if (!right)
    return;
  sender->sends++;
  sender->permitted = sender->marked = true;
  walk->row = SENT;
}

static void post(Walk *walk, Sender *sender) {
  if (!sender->permitted)
    return;
  sender->permitted = false;
  sender->gone = true;
  walk->sends++;
  check(walk->row != CANCELLED || walk->repeated,
        "sent after it was cancelled");
  check(walk->sends == 1 || walk->repeated, "%s: sent twice", walk->key);
}

/* The word of one who sends: it counts while the row is theirs. */
static void say(Walk *walk, Sender *sender, Row row) {
  char id[32], next[32];
  if (!sender->taken || sender->gone || (row == INTENT && !sender->permitted))
    return;
  ledger_tell(
      walk->ledger, walk->key,
      &(LedgerNews){.state = row_names[row],
                    .attempt_id = name(sender->claim, sender->sends, id),
                    .next_id = name(sender->claim, sender->sends + 1, next)});
  if (owns(walk, sender))
    walk->row = row;
  sender->permitted = sender->marked = false; /* one who cancelled may forget */
}

/* A fact: it counts whosever the row is. */
static void hear(Walk *walk, Sender *sender) {
  if (!sender->gone)
    return;
  ledger_tell(walk->ledger, walk->key,
              &(LedgerNews){.state = "accepted", .job_id = walk->key});
  walk->row = ACCEPTED;
  *sender = (Sender){.repeats = sender->repeats, .seen = ACCEPTED};
}

static void lose(Walk *walk, Sender *sender) {
  char id[32];
  if (!sender->gone)
    return;
  ledger_tell(
      walk->ledger, walk->key,
      &(LedgerNews){.state = "unknown",
                    .attempt_id = name(sender->claim, sender->sends, id)});
  if (owns(walk, sender))
    walk->row = UNKNOWN;
  *sender = (Sender){.repeats = sender->repeats, .seen = UNKNOWN};
}

static void step(Walk *walk, Sender *sender) {
  switch (random_below(walk->seed, 9)) {
  case 0:
    sender->seen = walk->row;
    break;
  case 1:
  case 2:
    take(walk, sender);
    break;
  case 3:
    ask(walk, sender);
    break;
  case 4:
    post(walk, sender);
    break;
  case 5:
    say(walk, sender, random_below(walk->seed, 4) ? INTENT : CANCELLED);
    break;
  case 6:
    if (random_below(walk->seed, 2))
      hear(walk, sender);
    else
      lose(walk, sender);
    break;
  case 7: /* it dies, and comes again with what it had read */
    if (random_below(walk->seed, 4) == 0)
      *sender = (Sender){.repeats = sender->repeats, .seen = sender->seen};
    break;
  default:
    break;
  }
}

static Row row_of(const char *path, const char *key) {
  LedgerFilter filter = {.key = key};
  Failure failure = {0};
  LedgerReader *reader = ledger_reader_open(path, &filter, &failure);
  LedgerRow row;
  Row found = NONE;
  assert_non_null(reader);
  if (ledger_reader_next(reader, &row, &failure))
    for (Row i = INTENT; i <= CANCELLED; i++)
      if (strcmp(row.state, row_names[i]) == 0)
        found = i;
  ledger_reader_close(reader);
  return found;
}

static void a_row_is_sent_once_in_every_order(void **state) {
  Folder folder;
  char path[PATH_MAX];
  Failure failure = {0};
  Ledger *ledger;
  uint64_t seed = 11;
  unsigned claims = 0, sent = 0, repeated = 0;
  (void)state;
  folder_make(&folder);
  folder_path(&folder, "renders.db", path);
  ledger = ledger_open(path, &failure);
  assert_non_null(ledger);
  for (unsigned i = 0; i < WALKS; i++) {
    Walk walk = {.ledger = ledger, .seed = &seed, .claims = &claims};
    snprintf(walk.key, sizeof walk.key, "key-%u", i);
    for (int j = 0; j < 2; j++)
      walk.senders[j].repeats = random_below(&seed, 3) == 0;
    for (unsigned n = 0; n < STEPS; n++)
      step(&walk, &walk.senders[random_below(&seed, 2)]);
    sent += walk.sends > 0;
    repeated += walk.sends > 1;
    if (i % 500 == 0) {
      assert_true(ledger_flush(ledger, &failure));
      check(row_of(path, walk.key) == walk.row, "%s is not %s", walk.key,
            row_names[walk.row]);
    }
  }
  ledger_close(ledger);
  folder_remove(&folder);
  assert_true(sent > WALKS / 20); /* the walks go somewhere */
  assert_true(repeated > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_row_is_sent_once_in_every_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
