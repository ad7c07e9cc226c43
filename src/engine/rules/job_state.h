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
 * already is remembered (`maybe_charged`).  What does not belong to the state
 * it meets does nothing.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_JOB_STATE_H
#define GPTIMAGE2_ENGINE_JOB_STATE_H

#include "policy.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum JobMode {
  JOB_MODE_GENERATE,    /* create, then poll to the end */
  JOB_MODE_CREATE_ONLY, /* one create */
  JOB_MODE_POLL_ONCE,   /* one poll of a known id */
  JOB_MODE_RESUME       /* poll a known id to the end */
} JobMode;

typedef enum JobPhase {
  PHASE_QUEUED,
  PHASE_CHECKING,
  PHASE_CREATING,
  PHASE_HELD, /* a create must wait until this side is ready for it */
  PHASE_BACKING_OFF,
  PHASE_WAITING,
  PHASE_POLLING,
  PHASE_ENDED
} JobPhase;

typedef enum JobDo {
  JOB_DO_NOTHING,
  JOB_DO_CHECK,  /* look at the reference images */
  JOB_DO_CREATE, /* send the create */
  JOB_DO_POLL,   /* send a poll */
  JOB_DO_WAIT,   /* call job_state_on_timer at `at` */
  JOB_DO_END     /* over: see `end` */
} JobDo;

typedef enum JobEnd {
  JOB_END_SUCCEEDED, /* the service says so, and gives pictures */
  JOB_END_FAILURE,   /* the service says that it failed */
  JOB_END_ACCEPTED,  /* the service has it, and more was not asked for */
  JOB_END_UNUSABLE,  /* an answer that is not as documented, and no more to ask
                      */
  JOB_END_REFUSED,   /* the service answered with an error status */
  JOB_END_FAILED,    /* nothing usable came back, nothing was spent by it */
  JOB_END_LOST,      /* a create was sent and its answer never came */
  JOB_END_TIMEOUT,   /* the deadline passed */
  JOB_END_CANCELLED, /* the host wanted no more */
  JOB_END_REFERENCE  /* a reference image is not usable */
} JobEnd;

typedef struct JobAction {
  JobDo what;
  double at;     /* monotonic seconds, for JOB_DO_WAIT */
  JobEnd end;    /* for JOB_DO_END */
  bool retry;    /* the rest comes after a failure: worth telling */
  bool unusable; /* that is an answer which says nothing about the job */
} JobAction;

typedef struct JobRules {
  RetryMode retry;
  unsigned max_attempts; /* creates for one job, all reasons together */
  PollSettings poll;
} JobRules;

typedef struct JobState {
  JobMode mode;
  JobPhase phase;
  const JobRules *settings; /* outlives the state */
  RetryQuota *quota;        /* the account's; outlives the state */
  double deadline;          /* monotonic seconds */
  double created;           /* when the create was answered */
  float pause;              /* the last poll pause, see policy.h */
  float asked;              /* its age when its last poll was sent, */
  float seen;               /* and of the last one that said: it goes on */
  unsigned attempts;        /* creates sent */
  unsigned polls;           /* polls sent */
  unsigned failures;        /* failures in a row */
  uint8_t not_found_count;  /* answers of 404 in a row */
  uint8_t unusable_replies; /* that say final and are not usable, likewise */
  uint8_t class;            /* of jobs that take as long: see poll_book.h */
  bool check : 1;           /* reference images to look at first */
  bool repeated : 1;        /* the key has been sent before */
  bool sent : 1;            /* a create may have reached the service */
  bool maybe_charged : 1;   /* a create may have made a job */
  bool risked : 1;          /* one of its own, not of an earlier job's */
  bool earlier_maybe_charged : 1; /* the same of creates before the last one, */
  bool earlier_risk : 1; /* where that may have made a job of its own */
  bool cancelled : 1;    /* while the create was on its way */
} JobState;

/* A job in PHASE_QUEUED.  `deadline` in monotonic seconds (may be infinite);
 * `repeated`: its key has been sent before, perhaps by another process. */
void job_state_init(JobState *state, JobMode mode, const JobRules *settings,
                    RetryQuota *quota, bool repeated, double deadline);

/* How long a job took that is known by `now` to have succeeded: it still ran
 * when the last poll was sent whose answer said so.  False where nobody looked,
 * or too rarely. */
bool job_state_took(const JobState *state, double now, Duration *took);

/* How long it has run so far: it still ran when the last poll was sent whose
 * answer said so.  False where it is not known when it began. */
bool job_state_runs(const JobState *state, Duration *so_far);

/* The job's turn has come. */
JobAction job_state_start(JobState *state, double now);

/* The reference images are usable and the job's turn has come; or they are not.
 */
JobAction job_state_on_checked(JobState *state, bool usable, double now);

/* Its poll goes out now: it may have waited for a connection. */
void job_state_on_sent(JobState *state, double now);

/* An exchange is over.  `random` is in [0, 1). */
JobAction job_state_on_reply(JobState *state, const HttpOutcome *reply,
                             double now, double random);

/* The time of a JOB_DO_WAIT has come, or the deadline of a job that waits for
 * its turn or for its references. */
JobAction job_state_on_timer(JobState *state, double now);

/* The exchange that it asked for (a create, or else a poll) has not begun, and
 * will not: it does not count. */
void job_state_not_begun(JobState *state, bool create);

/* The same, for the deadline came while it waited to begin. */
JobAction job_state_on_overdue(JobState *state);

/* What held the create back (OUTCOME_HELD) is over. */
JobAction job_state_on_ready(JobState *state, double now);

/* The host gave up.  `gone`: the create under way may have left this machine.
 * Then it is not torn: its answer may hold the id of a paid job, so the job
 * goes on until it is known.  One that provably did not leave never will. */
JobAction job_state_on_cancel(JobState *state, bool gone);

#endif
