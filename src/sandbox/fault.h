/*
 * The rules by which the sandbox misbehaves: which request is hit, by what.
 * A rule is counted by reference, because a delayed request holds the one
 * that hit it while `clear` may forget it. All calls run under the server's
 * lock; a held rule's constant fields may be read without it.
 */
#ifndef GPTIMAGE2_SANDBOX_FAULT_H
#define GPTIMAGE2_SANDBOX_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum FaultOn {
  ON_CREATE,
  ON_POLL,
  ON_IMAGE,
  ON_REFERENCE,
  ON_OTHER, /* what the service does not have; only `any` hits it */
  ON_ANY,
  ON_JOB /* the next created job */
} FaultOn;

typedef enum FaultAction {
  FAULT_STATUS,
  FAULT_DELAY,
  FAULT_HANG,
  FAULT_RESET,
  FAULT_CLOSE,
  FAULT_TRUNCATE,
  FAULT_MALFORMED,
  FAULT_OVERSIZE,
  FAULT_REDIRECT,
  FAULT_FAIL,
  FAULT_BODY
} FaultAction;

enum { FAULT_MAX_HEADERS = 16 };

typedef struct FaultHeader {
  const char *name, *value;
} FaultHeader;

#define FAULT_ALWAYS UINT64_MAX

/* One rule. Texts are the rule's own once fault_add has copied them. */
typedef struct Fault {
  struct Fault *next;
  unsigned references;
  FaultOn on;
  FaultAction action;
  uint64_t times; /* requests still to hit, or FAULT_ALWAYS */
  uint64_t after; /* matching requests still to let pass */
  bool work;      /* a create does its work before the fault */
  bool chunked;
  double seconds; /* waited before anything is answered */
  unsigned status;
  size_t bytes;
  const char *body; /* NULL: what the action has by default */
  size_t body_size;
  const char *location, *error;
  FaultHeader headers[FAULT_MAX_HEADERS];
  size_t header_count;
} Fault;

/* The rules in force, the oldest first. All zero: none. */
typedef struct FaultList {
  Fault *first, *last;
} FaultList;

/* Adds a copy of `rule` with its texts. False: no memory. */
bool fault_add(FaultList *list, const Fault *rule);

/*
 * The rule that hits the next request of that kind, counted as used, or NULL.
 * The caller gives it back with fault_release.
 */
Fault *fault_take(FaultList *list, FaultOn on);
void fault_release(Fault *fault);

/* Forgets all rules. */
void fault_clear(FaultList *list);

#endif
