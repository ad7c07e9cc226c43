/*
 * Two who want to send the same job, in every order of their steps there is,
 * however long: all states that the row and the two can get into together are
 * visited, and every step is taken from each.  What a step does to the row is
 * asked of the real ledger, once for each row and step: its statements see
 * nothing but the row and the ids that they are given.
 *
 * Each step is a transaction of its own: SQLite lets one follow another.  One
 * whose end was not told has happened here, or has not.  ledger_walk_test.c
 * walks at random through what this one leaves out: long lives of one row.
 */
#include "ledger_deeds.h"

typedef enum Phase {
  IDLE,
  TAKING, /* it has tried, and was not told what came of it */
  TAKEN,  /* the row is its own, it believes */
  PERMITTED,
  GONE /* its create is out */
} Phase;

typedef struct Sender {
  bool repeats; /* by its mode: what may have been made may go again */
  Row seen;     /* what it has read, whenever */
  Phase phase;
  bool marked;        /* it believes that the row says sent */
  bool maybe_charged; /* what it sends may have been made */
  bool cancelled;     /* its host wants no more */
} Sender;

typedef struct State {
  Row row;
  Owner owner;
  unsigned plain; /* creates out that were no repeats and may have been paid */
  bool repeated;  /* a repeat is out */
  unsigned given_up; /* the row was cancelled or abandoned, by the first (1) or
                      * the second */
  Sender senders[2];
} State;

#define PLACES (1u << 22)

static struct {
  Outcome outcomes[ROWS][OWNERS][DEEDS][2];
  uint32_t *visited; /* packed + 1 */
  State *stack;
  size_t depth, size;
  unsigned states, steps, permitted;
} all;

/* ---- what must hold of every deed ---- */

/* Whether a word may not replace the row, whosever it is: what may have been
 * made would be said not to be, or what was given up be opened again. */
static bool is_beyond(Row row, Deed deed) {
  if (row == CANCELLED)
    return deed != SAY_CANCELLED;
  if (row == ABANDONED) /* by hand: nobody's who sends it, to the last word */
    return true;
  return (row == ACCEPTED || row == UNKNOWN) &&
         (deed == SAY_INTENT || deed == SAY_REFUSED);
}

static void check_deed(const State *from, const Outcome *to, Deed deed,
                       int who) {
  Owner held = who ? HELD_2 : HELD_1, next = who ? NEXT_2 : NEXT_1;
  bool same = to->row == from->row && to->owner == from->owner;
  bool own = from->owner == held || from->owner == next;
  bool takes = deed <= TAKE_DOUBTED;
  const char *row = row_names[from->row];
  check(to->done || same, "deed %d refused, and the row %s changed", deed, row);
  if (takes && to->done)
    check(to->owner == held &&
              to->row == (deed == TAKE_DOUBTED ? SENT : INTENT),
          "deed %d took the row %s", deed, row);
  else if (deed <= PERMIT_AGAIN && to->done)
    check(to->owner == next && to->row == SENT && own,
          "permitted: the row %s of %s", row, owner_ids[from->owner]);
  else if (said[deed] && is_beyond(from->row, deed))
    check(same, "the word %d takes back the row %s", deed, row);
  else if (said[deed] && own)
    check(to->row == said[deed], "the word of its owner: %s", row);
  else if (said[deed])
    check(same, "the word of one whose row it is not: %s", row);
}

static bool act(State *state, Deed deed, int who) {
  Outcome *outcome = &all.outcomes[state->row][state->owner][deed][who];
  if (!outcome->known) {
    *outcome = ask_ledger(state->row, state->owner, deed, who);
    check_deed(state, outcome, deed, who);
  }
  state->row = outcome->row;
  state->owner = outcome->owner;
  if (!state->given_up && (state->row == CANCELLED || state->row == ABANDONED))
    state->given_up = 1 + (unsigned)who;
  return outcome->done;
}

/* ---- all states ---- */

static uint32_t pack(const State *state) {
  uint32_t packed = state->row | (uint32_t)state->owner << 3 |
                    state->plain << 6 | (uint32_t)state->repeated << 8 |
                    state->given_up << 9;
  for (int i = 0; i < 2; i++) {
    const Sender *sender = &state->senders[i];
    uint32_t one =
        sender->seen | (uint32_t)sender->phase << 3 |
        (uint32_t)sender->marked << 6 | (uint32_t)sender->maybe_charged << 7 |
        (uint32_t)sender->repeats << 8 | (uint32_t)sender->cancelled << 9;
    packed |= one << (11 + 10 * i);
  }
  return packed + 1;
}

static void visit(const State *state) {
  uint32_t packed = pack(state);
  uint32_t place = (packed * 2654435761u) % PLACES;
  all.steps++;
  while (all.visited[place] && all.visited[place] != packed)
    place = (place + 1) % PLACES;
  if (all.visited[place])
    return;
  all.visited[place] = packed;
  assert_true(++all.states < PLACES / 2);
  if (all.depth == all.size) {
    all.size = all.size ? 2 * all.size : 1024;
    all.stack = realloc(all.stack, all.size * sizeof *all.stack);
    assert_non_null(all.stack);
  }
  all.stack[all.depth++] = *state;
}

/* ---- the steps of one ---- */

/* It is over for this one, or it died; what it has read it may still know. */
static void leave(State *state, int who) {
  Sender *sender = &state->senders[who];
  if (state->owner == (who ? HELD_2 : HELD_1) ||
      state->owner == (who ? NEXT_2 : NEXT_1))
    state->owner = NOBODY;
  *sender = (Sender){.repeats = sender->repeats, .seen = sender->seen};
}

static void try_leaving(State state, int who) {
  leave(&state, who);
  visit(&state);
}

static void read_it(State state, int who) {
  state.senders[who].seen = state.row;
  visit(&state);
}

/* Told what came of it; not told; and the same with the permission that it
 * asked for in the same transaction. */
static void take(State state, int who) {
  Sender *sender = &state.senders[who];
  bool doubt = sender->seen == SENT || sender->seen == UNKNOWN;
  Deed deed = doubt ? TAKE_DOUBTED : sender->seen == NONE ? INSERT : TAKE;
  State told;
  if (sender->seen > UNKNOWN || (doubt && !sender->repeats))
    return;
  sender->phase = TAKING;
  visit(&state); /* it did not happen */
  if (!act(&state, deed, who)) {
    try_leaving(state, who);
    return;
  }
  visit(&state);
  told = state;
  told.senders[who].phase = TAKEN;
  told.senders[who].marked = told.senders[who].maybe_charged = doubt;
  visit(&told);
  if (act(&state, doubt ? PERMIT_AGAIN : PERMIT, who))
    visit(&state);
}

static void check_permission(const State *state, int who) {
  const Sender *sender = &state->senders[who], *other = &state->senders[!who];
  all.permitted++;
  check(!state->given_up, "permitted after it was given up");
  check(!sender->maybe_charged || sender->repeats,
        "a repeat that no mode allows");
  check(sender->maybe_charged ||
            (state->plain == 0 && !state->repeated && other->phase < PERMITTED),
        "permitted, and the other's create is or will be out");
}

static void ask(State state, int who) {
  Sender *sender = &state.senders[who];
  if (!act(&state, sender->marked ? PERMIT_AGAIN : PERMIT, who)) {
    try_leaving(state, who);
    return;
  }
  visit(&state); /* it was not told */
  check_permission(&state, who);
  sender->phase = PERMITTED;
  sender->marked = true;
  state.owner = who ? HELD_2 : HELD_1; /* what it asked for, it holds now */
  visit(&state);
}

static void post(State state, int who) {
  Sender *sender = &state.senders[who];
  if (sender->maybe_charged)
    state.repeated = true;
  else
    state.plain++;
  check(state.plain <= 1, "sent twice");
  check(state.given_up != 1 + (unsigned)who, "sent after it gave it up");
  sender->phase = GONE;
  visit(&state);
}

/* Its last word, from wherever it is: its row is given up, or refused. */
static void end_with(State state, Deed deed, int who) {
  act(&state, deed, who);
  state.senders[who].phase = TAKEN;
  visit(&state); /* it forgets, and asks again */
  try_leaving(state, who);
}

/* Provably not sent: it may ask again. */
static void mark_back(State state, int who) {
  Sender *sender = &state.senders[who];
  if (!sender->maybe_charged) {
    act(&state, SAY_INTENT, who);
    sender->marked = false;
  }
  sender->phase = TAKEN;
  visit(&state);
}

/* The service says that it took nothing, for now or for good. */
static void hear_no(State state, int who) {
  if (!state.senders[who].maybe_charged)
    state.plain--;
  mark_back(state, who);
  if (!state.senders[who].maybe_charged)
    act(&state, SAY_REFUSED, who);
  try_leaving(state, who);
}

/* While its create is out: it waits for the answer. */
static void cancel(State state, int who) {
  act(&state, SAY_CANCELLED, who);
  state.senders[who].cancelled = true;
  visit(&state);
}

/* What came of the create of one who was cancelled meanwhile. */
static void hear_cancelled(State state, int who) {
  State refused = state, forgetful = state;
  if (state.row == CANCELLED)
    act(&forgetful, SAY_UNKNOWN, who); /* the row knows better */
  act(&state, SAY_CANCELLED, who);
  try_leaving(state, who);
  if (refused.senders[who].maybe_charged)
    return;
  refused.plain--;
  act(&refused, SAY_INTENT, who);
  try_leaving(refused, who); /* it dies in between */
  act(&refused, SAY_CANCELLED, who);
  try_leaving(refused, who);
}

static void hear_yes(State state, int who) {
  act(&state, TELL_ACCEPTED, who);
  try_leaving(state, who);
}

/* It may have been made: by its mode it goes again, or is over. */
static void lose(State state, int who) {
  State again = state;
  if (again.senders[who].repeats) {
    again.senders[who].maybe_charged = true;
    again.senders[who].phase = TAKEN;
    visit(&again);
  }
  act(&state, SAY_UNKNOWN, who);
  try_leaving(state, who);
}

/* By hand, of what it has read. */
static void abandon(State state, int who) {
  if (state.senders[who].seen != SENT && state.senders[who].seen != UNKNOWN)
    return;
  act(&state, ABANDON, who);
  visit(&state);
}

static void step(const State *state, int who) {
  try_leaving(*state, who);
  switch (state->senders[who].phase) {
  case IDLE:
    read_it(*state, who);
    abandon(*state, who);
    take(*state, who);
    break;
  case TAKING:
    take(*state, who);
    break;
  case TAKEN:
    ask(*state, who);
    end_with(*state, SAY_CANCELLED, who);
    end_with(*state, SAY_REFUSED, who);
    break;
  case PERMITTED:
    post(*state, who);
    mark_back(*state, who);
    end_with(*state, SAY_CANCELLED, who);
    break;
  case GONE:
    if (state->senders[who].cancelled) {
      hear_cancelled(*state, who);
      break;
    }
    cancel(*state, who);
    hear_yes(*state, who);
    hear_no(*state, who);
    lose(*state, who);
    break;
  }
}

static void a_row_is_sent_once_in_every_order(void **state) {
  char path[PATH_MAX];
  Failure failure = {0};
  (void)state;
  folder_make(&real.folder);
  folder_path(&real.folder, "renders.db", path);
  real.ledger = ledger_open(path, &failure);
  assert_non_null(real.ledger);
  assert_int_equal(sqlite3_open(path, &real.db), SQLITE_OK);
  all.visited = calloc(PLACES, sizeof *all.visited);
  assert_non_null(all.visited);
  for (unsigned i = 0; i < 4; i++)
    visit(&(State){.senders = {{.repeats = i & 1}, {.repeats = (i & 2) != 0}}});
  while (all.depth) {
    State from = all.stack[--all.depth];
    step(&from, 0);
    step(&from, 1);
  }
  assert_true(all.states > 1000 && real.deeds > 100 && all.permitted > 100);
  free(all.visited);
  free(all.stack);
  sqlite3_close(real.db);
  ledger_close(real.ledger);
  folder_remove(&real.folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_row_is_sent_once_in_every_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
