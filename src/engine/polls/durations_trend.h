/*
 * What the known durations would be today, where the service drifts: slowly
 * slower, or faster, job by job.
 *
 * Lines through the newest that are known, of several lengths, level or not,
 * would each have said how long the last jobs take.  Where one would have said
 * it clearly better than the mean of all, what is known is moved along it to
 * now, and what lies before it is set apart, as what was before a change is
 * (see durations.h).  Pure; nothing is allocated.
 */
#ifndef GPTIMAGE2_ENGINE_DURATIONS_TREND_H
#define GPTIMAGE2_ENGINE_DURATIONS_TREND_H

#include "durations.h"

/* Fills `today`. */
void durations_today(const Durations *durations, Durations *today);

#endif
