/*
 * What all pieces of work have in common, and what they may ask of the engine.
 * Private to the engine's files; I/O thread only, unless a line says otherwise.
 *
 * A Work is made on the host's thread and handed over by its first command.
 * Commands travel inside it, so that steering work needs no memory: `starting`,
 * `cancelling` for the one cancel, and `releasing` for the end: the others may
 * still be on their way then.
 */
#ifndef GPTIMAGE2_ENGINE_WORK_H
#define GPTIMAGE2_ENGINE_WORK_H

#include "command.h"
#include "engine/loop/loop.h"
#include "event.h"
#include "submit.h"

#include <stdatomic.h>

/* What one sort of work does.  Each may end the work with work_end. */
typedef struct WorkType {
  void (*start)(Work *work);
  void (*on_timer)(Work *work);
  void (*on_cancel)(Work *work);
  /* It has ended, and the host had not heard of it.  NULL = nothing. */
  void (*on_late_cancel)(Work *work);
  /* Lets go of exchanges and files; the work may be running. */
  void (*stop)(Work *work);
  /* Frees what the work owns, not the Work itself.  Any thread. */
  void (*free)(Work *work);
  /* Whether the ledger must hear of it although its thread ends: it is started
   * then, and at once stopped.  NULL = never. */
  bool (*records)(const Work *work);
  bool may_batch; /* where there are many, its news may wait for each other */
} WorkType;

struct Work {
  const WorkType *type;
  Engine *engine;
  Account *account; /* NULL for sleeps and written files */
  uintptr_t owner;
  Timer timer;
  Command starting;
  Command cancelling;
  Command releasing;
  Event last;
  _Atomic(Event *) newest; /* what its EVENT_STATUS that is on its way tells */
  bool cancelled;          /* host's thread: the cancel was sent */
  bool detached; /* cancelled, to be taken up again: set before the cancel */
  bool started;  /* the I/O thread has it */
  bool ended;
  Work *before; /* all started work, for the end of the engine */
  Work *after;
};

/* Host's thread: sets up the common part and sends COMMAND_START.  NULL when
 * the thread cannot be started; the work is freed then. */
Work *engine_start_work(Engine *engine, Work *work, const WorkType *type,
                        Account *account, uintptr_t owner);

/* Host's thread: sends one of the commands inside a work, or gathers it. */
void engine_send(Engine *engine, Command *command, CommandKind kind);

Loop *engine_loop(Engine *engine);

/* The queues in which downloads wait. */
struct Downloads *engine_downloads(Engine *engine);

/* The places of looks at reference images. */
struct Checks *engine_checks(Engine *engine);

/* Where its events come from. */
struct EventPool *engine_pool(Engine *engine);

/* The places in front of libcurl. */
struct Gate *engine_gate(Engine *engine);

/* A number in [0, 1) for jitter. */
double engine_random(Engine *engine);
uint64_t engine_random_bits(Engine *engine);

/* A new event; NULL without memory. */
Event *work_event(Engine *engine, EventKind kind);

/* Stamps the event and hands it to the host with all others of this turn.  A
 * host that sleeps is woken at once or, where many come, very soon;
 * work_post_idly is for news that it only sees if it asks: waking it for those
 * can wait. */
void work_post(Work *work, Event *event);
void work_post_idly(Work *work, Event *event);

/* For news of which only the newest counts: a host that does not step has one
 * of them waiting for each work, however many come. */
void work_post_newest(Work *work, Event *event, bool idly);

/* Host's thread: the newest in place of `event`, which only said that there is
 * one. */
Event *work_take_newest(Engine *engine, Event *event);

/* Ends the work and posts work->last, whose fields the caller has set. */
void work_end(Work *work);

/* The account's ledger was written to: flush it before the events of this turn
 * are told. */
void work_touch_ledger(Work *work);

/* The work that holds `timer`. */
Work *work_of_timer(Timer *timer);

#endif
