/*
 * How a fault changes what an answer says, before it is sent. Runs on the
 * server's thread.
 */
#ifndef GPTIMAGE2_SANDBOX_FAULT_RESPONSE_H
#define GPTIMAGE2_SANDBOX_FAULT_RESPONSE_H

#include <stdbool.h>

#include "answer.h"
#include "sandbox/faults/fault.h"
#include "sandbox/reply/reply.h"

/* Changes the reply as the fault says; faults of other kinds leave it. The
 * fault's texts must outlive the reply. False: no memory. */
bool fault_response(const Server *server, const Question *question,
                    const Fault *fault, Reply *reply);

#endif
