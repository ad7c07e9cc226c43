/*
 * Answers on their way into MHD: whole, cut off or made up as they are sent.
 * Runs on the server's thread.
 */
#ifndef GPTIMAGE2_SANDBOX_BODY_H
#define GPTIMAGE2_SANDBOX_BODY_H

#include <microhttpd.h>

#include "reply.h"
#include "sandbox/faults/fault.h"

/*
 * Queues the reply, as the fault (NULL: none) leaves its length, and drops
 * it. MHD_NO: no memory, the connection is to be closed.
 */
enum MHD_Result body_queue(Reply *reply, struct MHD_Connection *connection,
                           const Fault *fault);

#endif
