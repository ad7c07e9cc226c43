/*
 * Which id an answer gives a job.  Private to the engine; I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_JOB_ID_H
#define GPTIMAGE2_ENGINE_JOB_ID_H

#include "job.h"

#define JOB_ID_ROOM 128 /* bytes that any job has for its id */

/* The service has given the job its id (at most JOB_ID_MAX bytes).  A job that
 * is paid must not need memory to be polled: the id takes the place of the
 * request, which is answered and never sent again.  Only one that is longer
 * than that and than any usual id needs some: false, and nothing has changed,
 * when there is none. */
bool job_set_id(Job *job, const char *id, size_t length);

/* The create was answered.  A service gives each job an id of its own: an
 * answer with the id of another job, of this account or in its ledger, counts
 * as none from now on, and its failure says so. */
void job_check_id(Job *job, Exchange *exchange);

#endif
