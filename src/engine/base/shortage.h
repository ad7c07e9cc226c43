/*
 * What this machine may lack for an exchange or a file: descriptors, memory,
 * ports.  That is no failure of what wanted it, and no attempt: it waits, and
 * goes on.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_SHORTAGE_H
#define GPTIMAGE2_ENGINE_SHORTAGE_H

#include "failure.h"

#include <stdbool.h>

/* Seconds to wait after the n-th shortage in a row (n from 1); `random` in
 * [0, 1).  Pure. */
double shortage_pause(unsigned times, double random);

/* What an errno of socket() or open() says is lacking, in a few words; NULL
 * where it says something else. */
const char *shortage_of(int error);

/* Asks the system for what an exchange needs, and gives it back: what is
 * lacking, or NULL.  Keeps errno. */
const char *shortage_probe(void);

/* Whether it says by its code that a file or memory could not be had. */
bool shortage_is(const Failure *failure);

/* Whether something is lacking for an exchange that could not even be made; the
 * failure says so then.  Its own code may say little: libcurl is a file, too.
 */
bool shortage_explains(Failure *failure);

#endif
