/*
 * How a fault changes the JSON of an answer. Pure.
 */
#ifndef GPTIMAGE2_SANDBOX_FAULT_JSON_H
#define GPTIMAGE2_SANDBOX_FAULT_JSON_H

#include <stdbool.h>

#include "reply.h"
#include "sandbox/faults/fault.h"

/* Changes the reply's JSON as the fault says. Leaves alone what is no answer
 * about a job where the fault is about one. False: no memory. */
bool fault_json(const Fault *fault, Reply *reply);

#endif
