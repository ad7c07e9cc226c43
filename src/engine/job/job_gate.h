/*
 * A job and the gate in front of libcurl (gate.h): waiting for a place, having
 * one, and waiting again after a shortage.  Private to the engine; I/O thread
 * only.
 */
#ifndef GPTIMAGE2_ENGINE_JOB_GATE_H
#define GPTIMAGE2_ENGINE_JOB_GATE_H

#include "job.h"

/* Waits for a place, until its deadline at most; job_send is called then. */
void job_gate_wait(Job *job, GateKind kind);

/* The gate's `begin`. */
void job_gate_begin(GateLink *link, double now);

/* Waits no more, and what it waited for was no attempt; or gives its place
 * back. */
void job_gate_leave(Job *job);

/* Its deadline has come while it waited. */
JobAction job_gate_overdue(Job *job);

/* Its exchange is over, and its place is given back.  True: nothing was sent
 * for lack of something here; it waits again, and `exchange` is released. */
bool job_gate_over(Job *job, Exchange *exchange, double now);

/* The same when no exchange could even be made, for which the op's failure
 * says why. */
bool job_gate_not_begun(Job *job, double now);

#endif
