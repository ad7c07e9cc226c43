/*
 * The engine: the only door between the two sides.
 *
 * The host's thread (the Lua side) submits work, steers it and takes events;
 * the I/O thread does the work.  The thread starts with the first piece of work
 * and is joined by engine_close.  Functions are for the host's thread, all
 * return at once, except engine_wait.  One engine serves one Lua state.
 *
 * The life of an operation (an Op): engine_job & co. return an Op; events name
 * it; one event is its last (`final`), after which the host calls
 * engine_release and forgets it.  An Op is never freed before that.
 */
#ifndef GPTIMAGE2_ENGINE_ENGINE_H
#define GPTIMAGE2_ENGINE_ENGINE_H

#include "engine/core/account_settings.h"
#include "engine/core/event.h"
#include "engine/core/submit.h"

#include <stdbool.h>

/* An engine without a thread; NULL when memory or descriptors run out. */
Engine *engine_open(void);

/* Stops everything, joins the thread, frees all work and the engine.  In a
 * forked child, where the thread does not exist, it does nothing. */
void engine_close(Engine *engine);

/* True in a child that was forked after the thread was started: nothing works
 * there.  An engine that had no thread yet begins anew in the child, with
 * descriptors of its own (servers load Lua before they fork). */
bool engine_is_forked(Engine *engine);

/* How many forks lie between this process and the one that loaded the module.
 */
unsigned engine_generation(void);

/* Asks the op to stop; its EVENT_ENDED still comes. */
void engine_cancel(Engine *engine, Op *op);

/* The same, but the ledger keeps it as it is, to be taken up again. */
void engine_detach(Engine *engine, Op *op);

/* From now on what the calls tell the I/O thread is kept back, and sent by
 * engine_uncork: one wake-up for all.  Nothing that may take long, the host's
 * own functions above all, may run in between. */
void engine_cork(Engine *engine);
void engine_uncork(Engine *engine);

/* The host has seen the last event of `op`. */
void engine_release(Engine *engine, Op *op);

/* The host wants no more of `account`. */
void engine_drop_account(Engine *engine, Account *account);

/* The next event, or NULL: one atomic load when nothing has arrived. */
Event *engine_next_event(Engine *engine);
void engine_free_event(Engine *engine, Event *event);

/* Something was left to do: keeps the descriptor readable until
 * engine_next_event has nothing more to give. */
void engine_stay_readable(Engine *engine);

/* A descriptor that is readable while events wait. */
int engine_fd(const Engine *engine);

/* Waits for an event, a signal, or `seconds`. */
void engine_wait(Engine *engine, double seconds);

#endif
