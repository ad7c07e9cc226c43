/*
 * Whose turn it is: at most max_active of an account's jobs are at the service
 * at once, the rest wait in the order of their submission.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_TURN_H
#define GPTIMAGE2_ENGINE_TURN_H

#include "job.h"

/* Joins the end of the queue.  turn_advance then starts what may start. */
void turn_join(Job *job);

/* Counts a job that is at the service already, without waiting. */
void turn_take(Job *job);

/* Leaves the queue or gives its place back; nothing happens otherwise. */
void turn_leave(Job *job);

/* Begins jobs while there is room. */
void turn_advance(Account *account);

#endif
