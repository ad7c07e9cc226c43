/*
 * What a job tells its host: its events.  Private to the engine; I/O thread
 * only.
 *
 * Without memory an event is left out; the next one says as much of the job.
 */
#ifndef GPTIMAGE2_ENGINE_JOB_TELL_H
#define GPTIMAGE2_ENGINE_JOB_TELL_H

#include "answer.h"
#include "job.h"

/* EVENT_QUEUED or EVENT_CREATING. */
void tell_bare(Job *job, EventKind kind);

/* What went wrong, and that the next try is at `at` (monotonic seconds). */
void tell_retry(Job *job, double at);

/* EVENT_CREATED: the answer gave the job its id, and it is polled. */
void tell_created(Job *job, Exchange *exchange, const Answer *answer);

/* EVENT_STATUS: an answer to a poll, where its body is not the last one told.
 */
void tell_status(Job *job, Exchange *exchange, const Answer *answer);

/* The answer just told was of no use: a failure like any other. */
void tell_unusable(Job *job, const Exchange *exchange);

/* The answer ends the job, or what came is no answer: for ENDED. */
void tell_last(Job *job, Exchange *exchange, const Answer *answer);

/* Keeps what the exchange had to say about a failure, for RETRY and ENDED. The
 * one before must have been forgotten. */
void tell_keep_failure(Job *job, Exchange *exchange);
void tell_forget_failure(Job *job);

/* Completes the job's last event; op_end posts it. */
void tell_end(Job *job, JobEnd how);

#endif
