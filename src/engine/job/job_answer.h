/*
 * What an exchange has brought for its job: read and judged, then told to the
 * ledger and to the host.  Private to the engine; I/O thread only.
 *
 *   answer_read    before the flow is asked: what the reply says
 *   answer_settle  after it: the id, what it costs, what was wrong
 *   answer_tell    ledger first, then host
 */
#ifndef GPTIMAGE2_ENGINE_JOB_ANSWER_H
#define GPTIMAGE2_ENGINE_JOB_ANSWER_H

#include "engine/rules/judge.h"
#include "job.h"

typedef struct Answer {
  bool created; /* to a create, else to a poll */
  bool said;    /* it is a 2xx, or the beginning of one: the rest is filled */
  Judged judged;
  Decoded reply; /* where that is readable */
  /* For the ledger: NULL = as it was. */
  const char *state;
  const char *charged; /* also for the host; static, as is the state */
  const char *error;   /* the exchange's */
} Answer;

/* Into `answer`, and into the exchange's reply. */
void answer_read(Job *job, Exchange *exchange, Answer *answer);

/* `action` follows from it; gives what is to be done instead where there is no
 * memory. */
FlowAction answer_settle(Job *job, Exchange *exchange, Answer *answer,
                         FlowAction action);

void answer_tell(Job *job, Exchange *exchange, const Answer *answer,
                 FlowAction action);

#endif
