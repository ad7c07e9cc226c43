/*
 * The I/O thread: the loop that runs in it.  Private to engine.c.
 */
#ifndef GPTIMAGE2_ENGINE_IO_THREAD_H
#define GPTIMAGE2_ENGINE_IO_THREAD_H

#include "io_state.h"

/* The thread's function; `user` is the Engine.  Returns when `stopping`. */
void *io_thread_run(void *user);

/* Frees an op that no thread uses any more. */
void io_thread_free_work(Op *op);

#endif
