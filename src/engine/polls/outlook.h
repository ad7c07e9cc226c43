/*
 * How long a job of some age will still take, as far as is known: the times by
 * which given shares of its like have ended.  Small enough to be handed from
 * thread to thread.  Pure; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_OUTLOOK_H
#define GPTIMAGE2_ENGINE_OUTLOOK_H

#include "survival.h"

#define OUTLOOK_LEVELS 32

/* Seconds after the answer to the create; all 0 where nothing is known, and
 * infinite where that is longer than what was seen, or what a survival covers.
 */
typedef struct Outlook {
  float times[OUTLOOK_LEVELS];
} Outlook;

/* `unit`: seconds of one of the survival's. */
void outlook_make(Outlook *outlook, const Survival *survival, double unit);

/* Seconds from `age` until only `chance` of those of that age still run; NAN
 * where nothing is known, the job is older than what is, or it takes longer. */
double outlook_left(const Outlook *outlook, double age, double chance);

/* The middle of those that end between the two, as likely as they are; the
 * middle of the two where nothing is known. */
double outlook_between(const Outlook *outlook, double low, double high);

#endif
