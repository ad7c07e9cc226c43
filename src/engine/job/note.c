/*
 * Notes for the ledger that are no part of a running job: an unknown job was
 * settled, a tenant was made or changed.  engine_note and engine_tenant run on
 * the host's thread, the rest on the I/O thread.
 */
#include "engine/base/clock.h"
#include "job.h"
#include "job_record.h"

#include <stdlib.h>
#include <string.h>

/* Seconds for which somebody else who writes to the ledger is waited for, and
 * between two attempts. */
#define PATIENCE 2.0
#define PAUSE 0.02

typedef struct Note {
  Op op;        /* first */
  double until; /* that it is tried again */
  char *key;
  JobNote note;
  bool of_tenant; /* the key is its name */
  TenantChange change;
} Note;

static void nothing(Op *op) {
  (void)op;
}

/* One id names one job. */
static bool is_free(const Note *note) {
  const Account *account = note->op.account;
  return !note->note.job_id ||
         !ledger_has_other(account->ledger, account->service.settings.base_url,
                           note->note.job_id, note->key);
}

static void settle(Note *note) {
  Op *op = &note->op;
  LedgerNews news = {.state = note->note.state,
                     .charged = note->note.charged,
                     .job_id = note->note.job_id,
                     .error = note->note.error};
  if (is_free(note))
    ledger_settle(op->account->ledger, note->key, &news, &op->last.failure);
  else
    failure_set(&op->last.failure, "ledger", "job_id_taken",
                "the ledger has another job with the id %.255s",
                note->note.job_id);
}

/* It must be durable before anybody acts on it. */
static void try(Note *note) {
  Op *op = &note->op;
  double now = clock_monotonic();
  failure_clear(&op->last.failure);
  op->account->retry_at = 0; /* it may be writable again: look now */
  record_flush(op->account, now, false);
  if (note->of_tenant)
    ledger_change_tenant(op->account->ledger, note->key, &note->change,
                         &op->last.failure);
  else
    settle(note);
  if (op->last.failure.kind && now < note->until &&
      ledger_is_busy(op->account->ledger))
    heap_set(&engine_loop(op->engine)->heap, &op->timer, now + PAUSE);
  else
    op_end(op);
}

static void start(Op *op) {
  Note *note = (Note *)op;
  note->until = clock_monotonic() + PATIENCE;
  try(note);
}

static void on_timer(Op *op) {
  try((Note *)op);
}

static void free_note(Op *op) {
  Note *note = (Note *)op;
  free(note->note.error);
  free(note->note.job_id);
  free(note->key);
}

static const OpType note_type = {.start = start,
                                 .on_timer = on_timer,
                                 .on_cancel = nothing,
                                 .stop = nothing,
                                 .free = free_note};

static char *copy(const char *text, bool *ok) {
  char *copied = text ? strdup(text) : NULL;
  if (text && !copied)
    *ok = false;
  return copied;
}

/* A note as `spec` has it, with texts of its own. */
static Op *launch(Engine *engine, Account *account, const Note *spec,
                  uintptr_t owner) {
  Note *note = malloc(sizeof *note);
  bool ok = true;
  if (!note)
    return NULL;
  *note = *spec;
  note->key = copy(spec->key, &ok);
  note->note.error = copy(spec->note.error, &ok);
  note->note.job_id = copy(spec->note.job_id, &ok);
  if (ok)
    return engine_start_op(engine, &note->op, &note_type, account, owner);
  free_note(&note->op);
  free(note);
  return NULL;
}

Op *engine_note(Engine *engine, Account *account, const char *key,
                const JobNote *news, uintptr_t owner) {
  Note spec = {.key = (char *)key, .note = *news};
  return launch(engine, account, &spec, owner);
}

Op *engine_tenant(Engine *engine, Account *account, const char *name,
                  const TenantChange *change, uintptr_t owner) {
  Note spec = {.key = (char *)name, .of_tenant = true, .change = *change};
  return launch(engine, account, &spec, owner);
}
