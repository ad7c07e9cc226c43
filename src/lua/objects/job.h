/*
 * gptimage2.Job.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_JOB_H
#define GPTIMAGE2_LUA_JOB_H

#include "client.h"
#include "engine/base/limits.h"
#include "lua/core.h"

#include <stdbool.h>

#define JOB_TYPE "gptimage2.Job"

typedef enum JobStatus {
  JOB_QUEUED,
  JOB_CREATING,
  JOB_PENDING,
  JOB_RUNNING,
  JOB_SUCCEEDED,
  JOB_FAILED,
  JOB_CANCELLED,
  JOB_UNKNOWN
} JobStatus;

/* A job's slots.  Those up to JOB_ROOM are there from the beginning: most jobs
 * fill them, and they can be set without memory.  The others are for few jobs:
 * they are in a table of their own, which their first value makes. */
enum {
  JOB_CLIENT = 1,
  JOB_REQUEST,
  JOB_ID,
  JOB_KEY,
  JOB_ERROR,
  JOB_RAW,
  JOB_RESULTS,
  JOB_RARE, /* nil, or the table of those that follow */
  JOB_ROOM = JOB_RARE,
  JOB_METADATA,
  JOB_TENANT,
  JOB_FILES,
  JOB_SAVE_ERROR,
  JOB_ORIGIN,    /* the job that this one goes on with */
  JOB_EARLIER_ID /* that an earlier create of what is sent again was given */
};

typedef struct LuaJob {
  Op *op; /* NULL when the engine does nothing for it */
  Handle handle;
  JobMode mode;
  JobStatus status;
  bool awaited : 1;  /* somebody waits: tell when it is done */
  bool refunded : 1; /* what it cost was given back */
  bool reserved : 1; /* by itself, not by one with its key before it */
  bool has_balance : 1;
  bool told : 1;         /* its on_event has heard of the cancel */
  bool quiet : 1;        /* on_event is not told of it */
  bool vouched : 1;      /* the service has told of its id, or the ledger */
  bool earlier_paid : 1; /* an earlier create of it was charged */
  bool twice : 1;        /* one may have made another job than this */
  bool kept : 1;         /* what it cost does not come back: see job_keep */
  unsigned class : 6;    /* of jobs that take as long: see poll_class */
  float accepted;        /* seconds after `started`; 0 = not known */
  unsigned attempts;
  unsigned polls;
  double cost;       /* credits */
  double created_at; /* seconds since 1970 */
  double started;    /* monotonic seconds */
  double ended;      /* monotonic seconds, 0 = not yet */
  Balance balance;
} LuaJob;

void job_open(lua_State *L);
LuaJob *job_check(lua_State *L, int index);
LuaJob *job_test(lua_State *L, int index);
/* Pushes a new job of the client at `index`. */
LuaJob *job_push(lua_State *L, int client_index, JobMode mode);
/* slot = the value on top, which is popped; and the other way round.  Setting
 * one beyond JOB_ROOM may raise, when there is no memory. */
void job_set(lua_State *L, int index, int slot);
void job_get(lua_State *L, int index, int slot);
/* The request on top (or nil), popped, is the job's, and says what it costs. */
void job_set_request(lua_State *L, int index);
/* The client of the job at `index`, whose slot keeps it alive. */
Client *job_client(lua_State *L, int index);
/* Pushes the last balance told for the job as a new table, or nil. */
void job_push_balance(lua_State *L, int index);
/* Pushes the seconds in which it will be done as likely as not, or nil: see
 * expect.c. */
void job_push_eta(lua_State *L, int index);
/* The answer to its create came at `created`, in monotonic seconds. */
void job_accept(LuaJob *job, double created);
bool job_is_done(const LuaJob *job);
/* True when the service knows the job by an id. */
bool job_has_id(lua_State *L, int index);
/* True when it is known that the service made the job: an id that a user gave
 * is hearsay until the service has told of it, or the ledger. */
bool job_is_made(lua_State *L, int index);
/* Ends the job for its host: the status, whose error is on top (or nil) and is
 * popped; wakes those who wait. */
void job_finish(lua_State *L, int index, JobStatus status);
/* Stops waiting and polling; `kind` and `code` say why, in static texts.  In
 * the middle of an event of that very job it happens after it. */
void job_cancel(lua_State *L, int index, const char *kind, const char *code,
                const char *message);
/* The key, for finding it in texts; "" after close. */
const char *job_api_key(lua_State *L, int index);

#endif
