/*
 * What each action of a fault is called, where it can happen and which
 * options it has: the one table of them. Pure.
 */
#ifndef GPTIMAGE2_SANDBOX_FAULT_KIND_H
#define GPTIMAGE2_SANDBOX_FAULT_KIND_H

#include <stdbool.h>

#include "fault.h"

enum { FAULT_MAX_OPTIONS = 4 };

typedef struct FaultKind {
  const char *name;
  unsigned phases;  /* bits, 1 << FaultOn */
  bool raw_writers; /* written to the socket itself: not with TLS */
  bool refuses;     /* by default a create has not done its work */
  const char *options[FAULT_MAX_OPTIONS + 1]; /* its own; needed ones end "!" */
  const char *about;                          /* one line for people */
} FaultKind;

/* By FaultAction; fault_kind_name likewise, and NULL at the end. */
extern const FaultKind fault_kinds[FAULT_ACTIONS];

/* By FaultOn, NULL at the end. */
extern const char *const fault_phases[ON_JOB + 2];

/* The options that every action has, NULL at the end. */
extern const char *const fault_common_options[];

/* Whether the action has the option, common ones included. */
bool fault_kind_has(FaultAction action, const char *option);

#endif
