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

/* What each one does and takes is told in fault_kind.c, in the same order. */
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
  FAULT_BODY,
  /* the bytes of the answer and their timing */
  FAULT_STALL,
  FAULT_DRIP,
  FAULT_CUT,
  FAULT_LENGTH,
  FAULT_ENDLESS_HEADERS,
  FAULT_ENDLESS_CHUNKS,
  FAULT_INFORMATIONAL,
  FAULT_RAW,
  /* what the answer holds */
  FAULT_HTML,
  FAULT_TYPE,
  FAULT_GZIP,
  FAULT_SHORT,
  FAULT_NOT_IMAGE,
  /* its JSON */
  FAULT_DUPLICATE_KEYS,
  FAULT_NESTING,
  FAULT_ESCAPES,
  FAULT_UNKNOWN_STATUS,
  FAULT_OTHER_JOB,
  FAULT_FAILED,
  FAULT_RESULTS,
  FAULT_MISSING,
  FAULT_CONFLICT,
  FAULT_ACTIONS /* how many there are */
} FaultAction;

/* Where `redirect` leads when it is not told a location. */
typedef enum FaultTo { TO_SELF, TO_CHAIN, TO_HOST, TO_HTTP, TO_HTTPS } FaultTo;

/* What `results` makes of them. */
typedef enum FaultShape {
  SHAPE_NULL,
  SHAPE_ABSENT,
  SHAPE_EMPTY,
  SHAPE_WITHOUT_URLS,
  SHAPE_NULL_URLS,
  SHAPE_OBJECT
} FaultShape;

enum { FAULT_MAX_HEADERS = 16 };

typedef struct FaultHeader {
  const char *name, *value;
} FaultHeader;

#define FAULT_ALWAYS UINT64_MAX /* times, and an amount without an end */
#define FAULT_NO_BYTES SIZE_MAX /* option `bytes` was not given */

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
  bool head;      /* bytes count from the head of the answer, not the body */
  bool reset;     /* ends with a reset, not in order */
  bool last;      /* what is added comes last */
  double seconds; /* waited before anything is answered */
  unsigned status;
  size_t bytes;
  uint64_t count; /* of 1xx answers, or levels of nesting */
  int64_t add;    /* to the length that is announced */
  FaultTo to;
  FaultShape shape;
  const char *body; /* NULL: what the action has by default */
  size_t body_size;
  const char *location, *error;
  const char *line; /* the one text an action has: type, value, name or id */
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
 * `repeated`: the request names an idempotency key that was seen before. The
 * caller gives the rule back with fault_release.
 */
Fault *fault_take(FaultList *list, FaultOn on, bool repeated);
void fault_release(Fault *fault);

/* Forgets all rules. */
void fault_clear(FaultList *list);

#endif
