/*
 * The life of one job, as a pure state machine: (state, what happened, now) in,
 * what to do next out.  No sockets, no clock, no allocation.
 *
 *   queued -> checking -> creating -> resting <-> polling
 *                 |         | ^ |        |           |
 *                 |     held, backing    |           |
 *                 |           off        |           |
 *                 +-------------+--------+-----------+----> ended
 *
 * What the body of an answer says comes with the reply (judge.h).  Whether a
 * create may be sent again is policy.h's to say; that it may have been paid
 * already is remembered (`doubt`).  What does not belong to the state it meets
 * does nothing.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_FLOW_H
#define GPTIMAGE2_ENGINE_FLOW_H

#include "policy.h"

#include <stdbool.h>

typedef enum FlowMode {
  FLOW_GENERATE,    /* create, then poll to the end */
  FLOW_CREATE_ONLY, /* one create */
  FLOW_POLL_ONCE,   /* one poll of a known id */
  FLOW_RESUME       /* poll a known id to the end */
} FlowMode;

typedef enum FlowState {
  FLOW_QUEUED,
  FLOW_CHECKING,
  FLOW_CREATING,
  FLOW_HELD, /* a create must wait until this side is ready for it */
  FLOW_BACKING_OFF,
  FLOW_RESTING,
  FLOW_POLLING,
  FLOW_ENDED
} FlowState;

typedef enum FlowDo {
  FLOW_DO_NOTHING,
  FLOW_DO_CHECK,  /* look at the reference images */
  FLOW_DO_CREATE, /* send the create */
  FLOW_DO_POLL,   /* send a poll */
  FLOW_DO_REST,   /* call flow_on_timer at `at` */
  FLOW_DO_END     /* over: see `end` */
} FlowDo;

typedef enum FlowEnd {
  FLOW_END_SUCCEEDED, /* the service says so, and gives pictures */
  FLOW_END_FAILURE,   /* the service says that it failed */
  FLOW_END_ACCEPTED,  /* the service has it, and more was not asked for */
  FLOW_END_UNUSABLE,  /* an answer that is not as documented, and no more to ask
                       */
  FLOW_END_REFUSED,   /* the service answered with an error status */
  FLOW_END_FAILED,    /* nothing usable came back, nothing was spent by it */
  FLOW_END_LOST,      /* a create was sent and its answer never came */
  FLOW_END_TIMEOUT,   /* the deadline passed */
  FLOW_END_CANCELLED, /* the host wanted no more */
  FLOW_END_REFERENCE  /* a reference image is not usable */
} FlowEnd;

typedef struct FlowAction {
  FlowDo what;
  double at;     /* monotonic seconds, for FLOW_DO_REST */
  FlowEnd end;   /* for FLOW_DO_END */
  bool retry;    /* the rest comes after a failure: worth telling */
  bool unusable; /* that is an answer which says nothing about the job */
} FlowAction;

typedef struct FlowSettings {
  RetryMode retry;
  unsigned max_attempts; /* creates for one job, all reasons together */
  PollSettings poll;
} FlowSettings;

typedef struct Flow {
  FlowMode mode;
  FlowState state;
  const FlowSettings *settings; /* outlives the flow */
  RetryQuota *quota;            /* the account's; outlives the flow */
  bool check;                   /* reference images to look at first */
  bool repeated;                /* the key has been sent before */
  bool sent;                    /* a create may have reached the service */
  bool doubt;                   /* a create may have made a job */
  bool risked;                  /* one of its own, not of an earlier job's */
  bool earlier_doubt;           /* the same of creates before the last one, */
  bool earlier_risk;            /* where that may have made a job of its own */
  bool cancelled;               /* while the create was on its way */
  double deadline;              /* monotonic seconds */
  double created;               /* when the create was answered */
  double pause;                 /* the last poll pause, see policy.h */
  unsigned attempts;            /* creates sent */
  unsigned polls;               /* polls sent */
  unsigned failures;            /* failures in a row */
  unsigned missing;             /* answers of 404 in a row */
  unsigned unusable_replies; /* that say final and are not usable, likewise */
} Flow;

/* A flow in FLOW_QUEUED.  `deadline` in monotonic seconds (may be infinite);
 * `repeated`: its key has been sent before, perhaps by another process. */
void flow_init(Flow *flow, FlowMode mode, const FlowSettings *settings,
               RetryQuota *quota, bool repeated, double deadline);

/* The job's turn has come. */
FlowAction flow_start(Flow *flow, double now);

/* The reference images are usable and the job's turn has come; or they are not.
 */
FlowAction flow_on_checked(Flow *flow, bool usable, double now);

/* An exchange is over.  `random` is in [0, 1). */
FlowAction flow_on_reply(Flow *flow, const Reply *reply, double now,
                         double random);

/* The time of a FLOW_DO_REST has come, or the deadline of a flow that waits for
 * its turn or for its references. */
FlowAction flow_on_timer(Flow *flow, double now);

/* The exchange that it asked for (a create, or else a poll) has not begun, and
 * will not: it does not count. */
void flow_not_begun(Flow *flow, bool create);

/* The same, for the deadline came while it waited to begin. */
FlowAction flow_on_overdue(Flow *flow);

/* What held the create back (REPLY_HELD) is over. */
FlowAction flow_on_ready(Flow *flow, double now);

/* The host gave up.  `gone`: the create under way may have left this machine.
 * Then it is not torn: its answer may hold the id of a paid job, so the flow
 * goes on until it is known.  One that provably did not leave never will. */
FlowAction flow_on_cancel(Flow *flow, bool gone);

#endif
