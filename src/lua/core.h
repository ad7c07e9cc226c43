/*
 * The binding: private header of src/lua.  Everything here runs on the host's
 * thread, called by Lua; nothing here knows libcurl.
 *
 * One Core for each Lua state, anchored in the registry, owns the engine.
 * Objects (jobs, transfers) that the engine still works on are anchored in the
 * registry too (anchor.c), so that a dropped handle loses nothing.  No
 * lua_State is ever stored.
 */
#ifndef GPTIMAGE2_LUA_CORE_H
#define GPTIMAGE2_LUA_CORE_H

#include "compat.h"
#include "engine/engine.h"
#include "engine/rules/decode.h"

#include <stdbool.h>

#define CLIENT_TYPE "gptimage2.Client"
#define JOB_TYPE "gptimage2.Job"
#define TRANSFER_TYPE "gptimage2.Transfer"
#define ERROR_TYPE "gptimage2.Error"

#define CREDITS_EACH 10 /* for one image: service documentation, "credits" */

/* ---- core.c: the Core of a Lua state ---- */

/* Where an object is anchored, for the engine, which gives it back with each of
 * the object's events; 0 = nowhere. */
typedef uintptr_t Ticket;

typedef struct Seat {
  uint32_t number; /* of the one who sits there, or will next; wraps */
  uint32_t next;   /* the free one after this free one; 0 = none */
} Seat;

typedef struct Anchors {
  Seat *seats; /* seat n is the n-th */
  uint32_t count;
  uint32_t capacity;
  uint32_t free; /* the first free one; 0 = none */
} Anchors;

/* Why a job is cancelled: static texts. */
typedef struct Reason {
  const char *kind; /* NULL = there is none */
  const char *code;
  const char *message;
} Reason;

typedef struct Core {
  Anchors anchors;
  Engine *engine;   /* NULL once the Lua state is closing */
  unsigned pending; /* jobs and transfers the engine works on */
  Event *current;   /* the event being handled: see step.c */
  bool taken;       /* its object is up to date */
  bool handling;    /* it is being taken in: nothing else may be meanwhile */
  unsigned tries;   /* how often that was begun */
  Reason later;     /* its job is to be cancelled once it is taken in */
  int first, last;  /* of the list of finished objects */
  const void *stepping; /* the innermost coroutine inside of step: never used,
                           only compared; NULL = none */
} Core;

/* Makes the Core of this state, unless it has one. */
void core_open(lua_State *L);
Core *core_get(lua_State *L);

/* True when the engine is there, and its thread: not once the state is closing,
 * nor in a process that was forked. */
bool core_has_engine(const Core *core);
/* True when the engine can be used; else pushes nil and an error (2 values). */
bool core_usable(lua_State *L, Core *core);

/* Pushes nil and the error for a wait inside of something that runs while an
 * event is taken in (2 values). */
int core_cannot_wait(lua_State *L);

/* Appends the object at `index` to the list the Lua side works off after each
 * step: somebody waits for it.  What may raise comes first. */
void core_finished(lua_State *L, int index);
/* What the Lua side has of that list. */
void core_open_finished(lua_State *L);
/* Pushes the table that outlives a second loading of the Lua side. */
void core_push_kept(lua_State *L);
/* For the __index of our objects, whose methods are its upvalue: pushes the one
 * named at index 2; false, pushing nothing, when there is none. */
bool core_push_method(lua_State *L);
/* Gives the metatable on top a __newindex that raises, naming the `type`. */
void core_make_read_only(lua_State *L, const char *type);
/* Lets go of the event being handled, which an error may have left behind. */
void core_settle(Core *core);

/* ---- ready.c: the queue of those who are to be woken ---- */

/* Completes the module table, which is on top. */
void ready_open(lua_State *L);

/* ---- waiters.c: those who wait for a thing ---- */

/* Completes the module table, which is on top. */
void waiters_open(lua_State *L);
/* The table at index 1 has no list for the object at index 2 any more.  Pushes
 * the list; false, pushing nothing, when there was none. */
bool waiters_leave(lua_State *L);
/* Pushes the first waiter of the list at the index `list` whose place is `from`
 * or behind it, and gives its place; 0, pushing nothing, when there is none. */
int waiters_next(lua_State *L, int list, int from);

/* ---- anchor.c: objects that the engine works on ---- */

void anchor_open(lua_State *L);
void anchor_close(Anchors *anchors);
/* Keeps the object at `index` alive until it is dropped. */
Ticket anchor_add(lua_State *L, Anchors *anchors, int index);
/* Nothing happens when it was dropped before. */
void anchor_drop(lua_State *L, Anchors *anchors, Ticket ticket);
/* Pushes the anchored object; false, pushing nothing, when it was dropped. */
bool anchor_push(lua_State *L, const Anchors *anchors, Ticket ticket);
/* Pushes the array of all anchored objects; some of its elements are false. */
void anchor_push_all(lua_State *L);

/* ---- error.c: what run-time failures look like ---- */

/* Pushes an error table: kind, code, message.  Strings are copied. */
void error_push(lua_State *L, const char *kind, const char *code,
                const char *message);
/* Sets a field of the error on top. */
void error_set(lua_State *L, const char *field, const char *value);
void error_set_number(lua_State *L, const char *field, double value);
/* Sets `body`: its first 4 KiB. */
void error_set_body(lua_State *L, const char *body, size_t length);
/* True when there are no control characters in the text; `lines`: tabs and line
 * ends are none. */
bool error_is_printable(const char *text, size_t length, bool lines);
/* Pushes `text` with control characters made visible. */
void error_push_printable(lua_State *L, const char *text, size_t length,
                          bool lines);
/* Sets what the error on top says of itself by its kind and code: `retryable`,
 * unless it has that. */
void error_complete(lua_State *L);
/* Sets `retryable`. */
void error_set_retryable(lua_State *L, bool retryable);
/* Pushes nil and the error that is on top: the run-time failure convention. */
int error_return(lua_State *L);
/* Pushes the error that says so.  Needs no memory; one table for all. */
void error_push_no_memory(lua_State *L);
void error_open(lua_State *L);

/* ---- retryable.c ---- */

/* Whether the same call may go well later.  `status`: HTTP's, 0 = none. */
bool retryable(const char *kind, const char *code, int status);
/* For an answer of the service with this status. */
bool retryable_status(int status);

/* ---- json.c: lua-cjson, through an instance of our own ---- */

void json_open(lua_State *L);
/* Pushes the encoded request at `index`: fields in a fixed order. */
void json_push_request(lua_State *L, int index);
/* Pushes the object that the bytes hold; false, pushing nothing, when they hold
 * no JSON object. */
bool json_push_object(lua_State *L, const char *bytes, size_t length);
/* core.encode(string | number | boolean) -> JSON text */
int json_encode(lua_State *L);

/* ---- json_map.c ---- */

/* core.encode_map(table of texts) -> pieces of its JSON, sorted | nothing */
int json_encode_map(lua_State *L);

/* ---- client.c ---- */

typedef struct Client {
  Account *account; /* NULL after close */
  double timeout;   /* seconds for a job */
  double budget;    /* credits, infinite = none */
  double spent;     /* credits */
  unsigned refunds; /* ids that were put into the table of them, wrapping */
  bool verify_references;
  bool recorded;    /* in a ledger: what a close leaves is recover's */
  bool narrates;    /* it has an on_event */
  bool has_balance; /* some reply told one */
  Balance balance;
} Client;

void client_open(lua_State *L);
Client *client_check(lua_State *L, int index);
Client *client_test(lua_State *L, int index);
/* Pushes the balance as a new table. */
void client_push_balance(lua_State *L, const Balance *balance);
/* Pushes the table of the credits reserved by the client: key -> credits. */
void client_push_reserved(lua_State *L, int index);
/* Pushes the table of the credits that came back: job id -> credits. */
void client_push_refunds(lua_State *L, int index);
/* Pushes the client's on_event function, or nil. */
void client_push_handler(lua_State *L, int index);
/* Gives the account back: the client is closed from now on. */
void client_drop(Core *core, Client *client);
/* Pushes the error for a closed client. */
void client_push_closed(lua_State *L);

/* ---- job.c ---- */

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
 * fill them, and they can be set without memory. */
enum {
  JOB_CLIENT = 1,
  JOB_REQUEST,
  JOB_ID,
  JOB_KEY,
  JOB_ERROR,
  JOB_RAW,
  JOB_RESULTS,
  JOB_ROOM = JOB_RESULTS,
  JOB_METADATA,
  JOB_FILES,
  JOB_SAVE_ERROR,
  JOB_ORIGIN,     /* the job that this one goes on with */
  JOB_EARLIER_ID, /* that an earlier create of what is sent again was given */
  JOB_SLOTS = JOB_EARLIER_ID
};

typedef struct LuaJob {
  Work *work; /* NULL when the engine does nothing for it */
  Ticket ticket;
  FlowMode mode;
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
LuaJob *job_push(lua_State *L, int client_index, FlowMode mode);
/* slot = the value on top, which is popped; and the other way round. */
void job_set(lua_State *L, int index, int slot);
void job_get(lua_State *L, int index, int slot);
/* The request on top (or nil), popped, is the job's, and says what it costs. */
void job_set_request(lua_State *L, int index);
/* The client of the job at `index`, whose slot keeps it alive. */
Client *job_client(lua_State *L, int index);
/* Pushes the last balance told for the job as a new table, or nil. */
void job_push_balance(lua_State *L, int index);
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
const char *job_secret(lua_State *L, int index);

/* ---- credits.c ---- */

/* Credits are reserved by key: whoever learns what became of the job that has
 * it can give them back, once.  job_reserve counts the job's cost in
 * client.spent; for one that is sent `again` it may be counted already.
 * job_refund: they were not spent after all.  job_spend: they are gone,
 * whatever was said before. */
void job_reserve(lua_State *L, int index, bool again);
bool job_has_reserved(lua_State *L, int index);
void job_refund(lua_State *L, int index);
/* A create before the last one may have been charged, for another job than that
 * makes: whatever becomes of this one, what is reserved for both stays. */
void job_keep(lua_State *L, int index);
/* The job has its id.  Is it the one that an earlier create was given, the
 * service honours keys, and what was reserved for this one comes back. */
void job_named(lua_State *L, int index);
void job_spend(lua_State *L, int index);

/* ---- jobs.c ---- */

void jobs_open(lua_State *L);

/* ---- submit.c ---- */

/* core.submit(client, mode, options) -> job | nil, err */
int submit(lua_State *L);

/* ---- reply.c: what a job's events show ---- */

/* Handles the event for the job on top of the stack.  Returns the name of the
 * public event that follows from it, or NULL. */
const char *reply_handle(lua_State *L, Core *core, LuaJob *job, Event *event);
/* Ends the job on top without memory, when its last event cannot be read. */
void reply_abandon(lua_State *L, Core *core, LuaJob *job, const Event *event);

/* ---- verdict.c: how a job's failure is told ---- */

/* Pushes the error for a job whose work ended by itself. */
void verdict_push_error(lua_State *L, int index, LuaJob *job,
                        const Event *event);
/* The error on top tells of a job that was not sent, or was refused; which the
 * ledger could not be told: it says so. */
void verdict_add_unrecorded(lua_State *L, const Event *event);
/* core.refusal(status) -> kind, code: of an answer with that error status */
int verdict_refusal(lua_State *L);
/* Pushes the error for a create whose answer never came, or not all of it. */
void verdict_push_lost(lua_State *L, int index, LuaJob *job,
                       const Event *event);
/* Pushes the error for an answer the documentation does not allow. */
void verdict_push_protocol(lua_State *L, int index, LuaJob *job,
                           const Event *event, const char *code,
                           const char *what);

/* ---- transfer.c: downloads, written files, sleeps ---- */

typedef struct Transfer {
  Work *work;
  Ticket ticket;
  bool awaited;
  bool quiet; /* a sleep: not counted as pending */
  bool done;
} Transfer;

void transfer_open(lua_State *L);
Transfer *transfer_test(lua_State *L, int index);
/* Handles the last event of the transfer on top of the stack. */
void transfer_handle(lua_State *L, Core *core, Transfer *transfer,
                     Event *event);
/* Ends the transfer on top without memory. */
void transfer_abandon(lua_State *L, Core *core, Transfer *transfer);
int transfer_download(lua_State *L);
int transfer_write(lua_State *L);
int transfer_sleep(lua_State *L);
void transfer_cancel(lua_State *L, Transfer *transfer);
/* Pushes the client of the transfer at `index`, or nil. */
void transfer_push_client(lua_State *L, int index);

/* core.note(client, key, {state=, charged=, job_id=, n=, path=}) */
int transfer_note(lua_State *L);

/* ---- record.c ---- */

void record_open(lua_State *L);

/* ---- ledger_rows.c ---- */

void ledger_rows_open(lua_State *L);

/* ---- step.c ---- */

/* core.step(after, left, [timeout]) -> handled */
int step(lua_State *L);
/* core.announce(object): tells its on_event of a job that was cancelled */
int step_announce(lua_State *L);

#endif
