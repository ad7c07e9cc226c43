/*
 * An outlook that the I/O thread makes and the host's reads, at any moment:
 * neither waits for the other.  The reader sees one whole outlook, or nothing.
 */
#ifndef GPTIMAGE2_ENGINE_FORECAST_H
#define GPTIMAGE2_ENGINE_FORECAST_H

#include "engine/polls/outlook.h"

#include <stdatomic.h>
#include <stdbool.h>

/* All zero: an outlook of nothing. */
typedef struct Forecast {
  atomic_uint turn; /* odd while it is written */
  _Atomic float times[OUTLOOK_LEVELS];
} Forecast;

/* The one thread that writes. */
void forecast_set(Forecast *forecast, const Outlook *outlook);

/* Any thread.  False where it was written all the while; in a process that was
 * forked just then, for ever. */
bool forecast_get(const Forecast *forecast, Outlook *outlook);

#endif
