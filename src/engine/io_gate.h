/*
 * The engine and its gate (gate.h): which clients there are, and how the host
 * is doing.  Private to io_thread.c.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_IO_GATE_H
#define GPTIMAGE2_ENGINE_IO_GATE_H

#include "io_state.h"

/* Before an account's first op.  False without memory. */
bool io_gate_enter(Engine *engine, Account *account);

/* After its last: nothing happens before. */
void io_gate_quit(Engine *engine, Account *account);

/* Before the gate is advanced: what has changed around it. */
void io_gate_look(Engine *engine, double now);

/* When to do that again, whatever happens; may be infinite. */
double io_gate_at(const Engine *engine);

#endif
