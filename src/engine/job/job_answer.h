/*
 * What an exchange has brought for its job: read and judged, then told to the
 * ledger and to the host.  Private to the engine; I/O thread only.
 *
 *   answer_read    before the state is asked: what the reply says
 *   answer_settle  after it: the id, what it costs, what was wrong
 *   answer_tell    ledger first, then host
 */
#ifndef GPTIMAGE2_ENGINE_JOB_ANSWER_H
#define GPTIMAGE2_ENGINE_JOB_ANSWER_H

#include "answer.h"
#include "job.h"

/* Into `answer`, and into the exchange's reply. */
void answer_read(Job *job, Exchange *exchange, Answer *answer);

/* `action` follows from it; gives what is to be done instead where there is no
 * memory. */
JobAction answer_settle(Job *job, Exchange *exchange, Answer *answer,
                        JobAction action);

void answer_tell(Job *job, Exchange *exchange, const Answer *answer,
                 JobAction action);

#endif
