/*
 * What an exchange has brought for its job.  Private to the engine; I/O thread
 * only.
 */
#ifndef GPTIMAGE2_ENGINE_ANSWER_H
#define GPTIMAGE2_ENGINE_ANSWER_H

#include "engine/rules/judge.h"

#include <stdbool.h>

typedef struct Answer {
  bool created; /* to a create, else to a poll */
  bool said;    /* it is a 2xx, or the beginning of one: the rest is filled */
  Judged judged;
  ApiReply reply; /* where that is readable */
  /* For the ledger: NULL = as it was. */
  const char *state;
  const char *charged; /* also for the host; static, as is the state */
  const char *error;   /* the exchange's */
  double seconds;      /* that the job took; 0 = not known */
} Answer;

#endif
