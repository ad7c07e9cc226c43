/*
 * What a job writes into the ledger, and when.  Nothing happens for a client
 * without a ledger.  Private to the engine; I/O thread only.
 *
 *   intent    when the job is submitted; durable before its first byte leaves
 *   sent      in libcurl's last moment before the request; durable at once
 *   answer    the raw answer to the create; durable before anybody reads it
 *   result    the raw final answer, likewise
 *   the rest  with the next flush
 */
#ifndef GPTIMAGE2_ENGINE_JOB_RECORD_H
#define GPTIMAGE2_ENGINE_JOB_RECORD_H

#include "job.h"

/* False, with the work's failure set, when the job must not be sent. */
bool record_intent(Job *job);

/* The create is about to be handed to libcurl. */
void record_sending(Job *job, Exchange *exchange);

/* The exchange of a create is over.  An API key in the body is blotted out. */
void record_answer(Job *job, const Reply *reply, const Buffer *body);

/* A poll brought a body that may be final.  Likewise. */
void record_result(Job *job, const Buffer *body);

/* What the Lua side read in it: job->note. */
void record_verdict(Job *job);

/* The job ends without a verdict. */
void record_end(Job *job, FlowEnd how);

/* The job stops, its exchange still there: a create that has not left will not
 * leave any more, and the ledger says so. */
void record_torn(Job *job);

#endif
