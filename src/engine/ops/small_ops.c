/*
 * The two small ops: a sleep, and a sidecar to write; and whether a
 * file can be written at all.
 *
 * engine_sleep, engine_write and engine_check_target run on the host's thread,
 * the rest on the I/O thread.
 */
#include "engine/base/clock.h"
#include "engine/base/shortage.h"
#include "engine/core/op.h"
#include "engine/files/file.h"
#include "engine/files/file_limit.h"
#include "engine/files/twin.h"

#include <stdlib.h>
#include <string.h>

static void nothing(Op *op) {
  (void)op;
}

static void end_cancelled(Op *op) {
  failure_set(&op->last.failure, "cancelled", "cancelled", "cancelled");
  op_end(op);
}

/* ---- sleep ---- */

typedef struct Sleep {
  Op op; /* first */
  double until;
} Sleep;

static void start_sleep(Op *op) {
  heap_set(&engine_loop(op->engine)->heap, &op->timer, ((Sleep *)op)->until);
}

static const OpType sleep_type = {.start = start_sleep,
                                  .on_timer = op_end,
                                  .on_cancel = end_cancelled,
                                  .stop = nothing,
                                  .free = nothing};

Op *engine_sleep(Engine *engine, double seconds, uintptr_t owner) {
  Sleep *sleep = calloc(1, sizeof *sleep);
  if (!sleep)
    return NULL;
  sleep->until = clock_monotonic() + seconds;
  return engine_start_op(engine, &sleep->op, &sleep_type, NULL, owner);
}

/* ---- a sidecar ---- */

/* The time tells the names of those apart that look at the same moment; where
 * it does not, the other one has shown what there is to know. */
bool engine_check_target(const FileTarget *target, Failure *failure) {
  FileLimit limit;
  bool ok;
  file_limit_hold(&limit);
  ok = file_check(target, (uint64_t)(clock_monotonic() * 1e9), failure);
  file_limit_release(&limit);
  if (!ok && shortage_is(failure)) { /* that may pass: it is not certain */
    failure_clear(failure);
    ok = true;
  }
  return ok;
}

typedef struct Writing {
  Op op; /* first */
  char *path;
  Chunks text;
  bool overwrite;
  unsigned shortages; /* of this machine, in a row */
  double give_up_at;  /* how long those are waited for; 0 = there was none */
} Writing;

/* Seconds for which a file may wait for a descriptor. */
#define PATIENCE 30.0

static bool write_blocks(File *file, const Chunks *text, Failure *failure) {
  for (const TextBlock *block = text->first; block; block = block->next)
    if (!file_append(file, block->bytes, block->length, failure))
      return false;
  return true;
}

/* Somebody closes one of his own soon, as a rule. */
static bool waits_for_descriptor(Writing *writing) {
  Engine *engine = writing->op.engine;
  double now = clock_monotonic();
  if (!shortage_is(&writing->op.last.failure))
    return false;
  if (writing->give_up_at <= 0)
    writing->give_up_at = now + PATIENCE;
  if (now >= writing->give_up_at)
    return false;
  failure_clear(&writing->op.last.failure);
  heap_set(&engine_loop(engine)->heap, &writing->op.timer,
           now + shortage_pause(++writing->shortages, engine_random(engine)));
  return true;
}

static void start_writing(Op *op) {
  Writing *writing = (Writing *)op;
  Event *last = &op->last;
  File file;
  if (file_open(&file, writing->path, engine_random_bits(op->engine),
                &last->failure)) {
    if (!write_blocks(&file, &writing->text, &last->failure))
      file_abandon(&file);
    else if (file_commit(&file, writing->path, writing->overwrite,
                         twin_is_same_sidecar, &last->failure)) {
      last->path = writing->path;
      writing->path = NULL;
    }
  } else if (waits_for_descriptor(writing)) {
    return;
  }
  op_end(op);
}

static void free_writing(Op *op) {
  Writing *writing = (Writing *)op;
  free(writing->path);
  chunks_free(&writing->text);
}

static const OpType writing_type = {.start = start_writing,
                                    .on_timer = start_writing,
                                    .on_cancel = nothing,
                                    .stop = nothing,
                                    .free = free_writing};

Op *engine_write(Engine *engine, const char *path, Chunks *text, bool overwrite,
                 uintptr_t owner) {
  Writing *writing = calloc(1, sizeof *writing);
  if (!writing) {
    chunks_free(text);
    return NULL;
  }
  writing->text = *text;
  *text = (Chunks){0};
  writing->overwrite = overwrite;
  writing->path = strdup(path);
  if (!writing->path) {
    free_writing(&writing->op);
    free(writing);
    return NULL;
  }
  return engine_start_op(engine, &writing->op, &writing_type, NULL, owner);
}
