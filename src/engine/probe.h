/*
 * Looking at reference images before money is spent: each URL must answer a
 * small ranged GET with an image, from a public address.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_PROBE_H
#define GPTIMAGE2_ENGINE_PROBE_H

#include "http.h"

#include <stdbool.h>

#define PROBE_MAX 16 /* URLs, the most a request may name */

/* `bad`: the index of the first URL that is not usable, or -1.  The probe is
 * gone when this is called; `failure` belongs to the callee then. */
typedef void (*ProbeDone)(void *owner, int bad, Failure *failure);

typedef struct Probe Probe;

/* Starts to look at all `urls` at once.  They must live until it is over.
 * `timeout` in seconds.  NULL when memory runs out; otherwise `done` is called
 * once, later, unless the probe is aborted. */
Probe *probe_start(Loop *loop, Account *account, char *const *urls,
                   unsigned count, double timeout, ProbeDone done, void *owner);

void probe_abort(Probe *probe);

#endif
