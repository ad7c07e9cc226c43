/*
 * What all operations have in common, and what they may ask of the engine.
 * Private to the engine's files; I/O thread only, unless a line says otherwise.
 *
 * An Op is made on the host's thread and handed over by its first command.
 * Commands travel inside it, so that steering an op needs no memory:
 * `starting`, `cancelling` for the one cancel, and `releasing` for the end: the
 * others may still be on their way then.
 */
#ifndef GPTIMAGE2_ENGINE_OP_H
#define GPTIMAGE2_ENGINE_OP_H

#include "command.h"
#include "engine/base/queue.h"
#include "engine/loop/loop.h"
#include "event.h"
#include "submit.h"

#include <stdatomic.h>

/* What one sort of op does.  Each may end the op with op_end. */
typedef struct OpType {
  void (*start)(Op *op);
  void (*on_timer)(Op *op);
  void (*on_cancel)(Op *op);
  /* It has ended, and the host had not heard of it.  NULL = nothing. */
  void (*on_late_cancel)(Op *op);
  /* Lets go of exchanges and files; the op may be running. */
  void (*stop)(Op *op);
  /* Frees what the op owns, not the Op itself.  Any thread. */
  void (*free)(Op *op);
  /* Whether the ledger must hear of it although its thread ends: it is started
   * then, and at once stopped.  NULL = never. */
  bool (*records)(const Op *op);
  bool may_batch; /* where there are many, its news may wait for each other */
} OpType;

struct Op {
  const OpType *type;
  Engine *engine;
  Account *account; /* NULL for sleeps and written files */
  uintptr_t owner;
  Timer timer;
  bool cancelled; /* host's thread: the cancel was sent */
  bool detached;  /* cancelled, to be taken up again: set before the cancel */
  bool started;   /* the I/O thread has it */
  bool ended;
  Command starting;
  Command cancelling;
  Command releasing;
  Event last;
  _Atomic(Event *) newest; /* what its EVENT_STATUS that is on its way tells */
  QueueLink link; /* among all started ops, for the end of the engine */
};

/* Host's thread: sets up the common part and sends COMMAND_START.  NULL when
 * the thread cannot be started; the op is freed then. */
Op *engine_start_op(Engine *engine, Op *op, const OpType *type,
                    Account *account, uintptr_t owner);

/* The op in which the command lies, of any kind but COMMAND_DROP_ACCOUNT.  Any
 * thread. */
Op *op_of_command(Command *command);

/* Host's thread: sends one of the commands inside an op, or keeps it back
 * (engine_cork). */
void engine_send(Engine *engine, Command *command, CommandKind kind);

Loop *engine_loop(Engine *engine);

/* The queues in which downloads wait. */
struct Downloads *engine_downloads(Engine *engine);

/* The places of the checks of reference images. */
struct Checks *engine_checks(Engine *engine);

/* Where its events come from. */
struct EventCount *engine_event_count(Engine *engine);

/* The places in front of libcurl. */
struct Gate *engine_gate(Engine *engine);

/* A number in [0, 1) for jitter. */
double engine_random(Engine *engine);
uint64_t engine_random_bits(Engine *engine);

/* A new event; NULL without memory. */
Event *op_event(Engine *engine, EventKind kind);

/* Stamps the event and hands it to the host with all others of this turn.  A
 * host that sleeps is woken at once or, where many come, very soon;
 * op_post_idly is for news that it only sees if it asks: waking it for those
 * can wait. */
void op_post(Op *op, Event *event);
void op_post_idly(Op *op, Event *event);

/* For news of which only the newest counts: a host that does not step has one
 * of them waiting for each op, however many come. */
void op_post_newest(Op *op, Event *event, bool idly);

/* Host's thread: the newest in place of `event`, which only said that there is
 * one. */
Event *op_take_newest(Engine *engine, Event *event);

/* Ends the op and posts op->last, whose fields the caller has set. */
void op_end(Op *op);

/* The account's ledger was written to: flush it before the events of this turn
 * are told. */
void op_touch_ledger(Op *op);

/* The op that holds `timer`. */
Op *op_of_timer(Timer *timer);

#endif
