/*
 * gptimage2.Job: one job as its host sees it.
 *
 * Small facts live in the userdata, Lua values in its slots (named in job.h).
 * While the engine works on it the job is anchored, whether or not anybody
 * holds it.
 */
#include "job.h"

#include "client.h"
#include "engine/base/clock.h"
#include "lua/core.h"
#include "lua/shown/error.h"
#include "lua/values/fields.h"

static const char *const status_names[] = {
    [JOB_QUEUED] = "queued",       [JOB_CREATING] = "creating",
    [JOB_PENDING] = "pending",     [JOB_RUNNING] = "running",
    [JOB_SUCCEEDED] = "succeeded", [JOB_FAILED] = "failed",
    [JOB_CANCELLED] = "cancelled", [JOB_UNKNOWN] = "unknown"};

LuaJob *job_check(lua_State *L, int index) {
  return luaL_checkudata(L, index, JOB_TYPE);
}

LuaJob *job_test(lua_State *L, int index) {
  return compat_testudata(L, index, JOB_TYPE);
}

void job_set_request(lua_State *L, int index) {
  LuaJob *job = lua_touserdata(L, index);
  if (lua_istable(L, -1))
    job->cost = CREDITS_EACH * field_number(L, -1, "count", 0);
  job_set(L, index, JOB_REQUEST);
}

LuaJob *job_push(lua_State *L, int client_index, JobMode mode) {
  LuaJob *job = compat_newslots(L, sizeof *job, JOB_ROOM);
  *job = (LuaJob){.mode = mode,
                  .status = JOB_QUEUED,
                  .created_at = clock_wall(),
                  .started = clock_monotonic()};
  luaL_getmetatable(L, JOB_TYPE);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, client_index);
  job_set(L, -2, JOB_CLIENT);
  return job;
}

Client *job_client(lua_State *L, int index) {
  Client *client;
  job_get(L, index, JOB_CLIENT);
  client = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return client;
}

void job_push_balance(lua_State *L, int index) {
  const LuaJob *job = lua_touserdata(L, index);
  if (job->has_balance)
    client_push_balance(L, &job->balance);
  else
    lua_pushnil(L);
}

bool job_is_done(const LuaJob *job) {
  return job->ended > 0;
}

bool job_has_id(lua_State *L, int index) {
  bool has;
  job_get(L, index, JOB_ID);
  has = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return has;
}

/* The id of a create is the service's own word. */
static bool creates(const LuaJob *job) {
  return job->mode == JOB_MODE_GENERATE || job->mode == JOB_MODE_CREATE_ONLY;
}

bool job_is_made(lua_State *L, int index) {
  const LuaJob *job = lua_touserdata(L, index);
  return job_has_id(L, index) && (creates(job) || job->vouched);
}

const char *job_api_key(lua_State *L, int index) {
  const Client *client = job_client(L, index);
  return client->account ? account_api_key(client->account) : "";
}

/* What may raise (there is no memory) comes first: then nothing has changed. */
void job_finish(lua_State *L, int index, JobStatus status) {
  LuaJob *job = lua_touserdata(L, index = compat_absindex(L, index));
  if (job->awaited)
    core_finished(L, index);
  job->awaited = false;
  job_set(L, index, JOB_ERROR);
  job->status = status;
  job->ended = clock_monotonic();
}

/* Tells the engine, for which the job may be done by now. */
static void tell_of_cancel(Core *core, const LuaJob *job, const char *kind) {
  if (!core_has_engine(core))
    return;
  if (job->op && strcmp(kind, "closed") == 0)
    engine_detach(core->engine, job->op); /* recover takes it up */
  else if (job->op)
    engine_cancel(core->engine, job->op);
  engine_stay_readable(core->engine); /* the next step tells */
}

/* What is known of the money while the engine has not come to rest: a create
 * may go out before the cancel reaches it, or never.  The error is on top. */
static void set_charged(lua_State *L, int index, const LuaJob *job) {
  bool made = job_is_made(L, index);
  if (made && creates(job)) {
    lua_pushliteral(L, "yes");
    lua_setfield(L, -2, "sent");
  }
  lua_pushstring(L, made || job->earlier_paid ? "yes" : "unknown");
  lua_setfield(L, -2, "charged");
  job_get(L, index, JOB_ID);
  lua_setfield(L, -2, "job_id");
}

/* Whether an event of this job is being taken in. */
static bool is_handled(const Core *core, const LuaJob *job) {
  return core->handling && core->current && core->current->owner == job->handle;
}

/* What is told: in a forked process the job is not this one's to end. */
static Reason reason_here(const Core *core, Reason given) {
  static const Reason forked = {
      "closed", "forked",
      "this process was forked, and the job is its parent's: it goes on there, "
      "whatever is cancelled or closed here"};
  return core->engine && engine_is_forked(core->engine) ? forked : given;
}

/* Whatever is allocated may run a finalizer, and a step in there may end the
 * job: so the error comes first. */
void job_cancel(lua_State *L, int index, const char *kind, const char *code,
                const char *message) {
  LuaJob *job = lua_touserdata(L, index = compat_absindex(L, index));
  Core *core = core_get(L);
  Reason told = reason_here(core, (Reason){kind, code, message});
  if (job_is_done(job))
    return;
  if (is_handled(core, job)) {
    core->later = told;
    return;
  }
  error_push(L, told.kind, told.code, told.message);
  set_charged(L, index, job);
  error_set_number(L, "attempts", job->attempts);
  job_get(L, index, JOB_KEY);
  lua_setfield(L, -2, "idempotency_key");
  if (job_is_done(job)) {
    lua_pop(L, 1);
    return;
  }
  job->awaited = true;
  job_finish(L, index, JOB_CANCELLED);
  tell_of_cancel(core, job, kind);
}

/* ---- fields ---- */

typedef struct Field {
  const char *name;
  int slot; /* or 0 */
} Field;

static const Field fields[] = {
    {"id", JOB_ID},
    {"request", JOB_REQUEST},
    {"results", JOB_RESULTS},
    {"error", JOB_ERROR},
    {"idempotency_key", JOB_KEY},
    {"files", JOB_FILES},
    {"metadata", JOB_METADATA},
    {"tenant", JOB_TENANT},
    {"client", JOB_CLIENT},
    {"save_error", JOB_SAVE_ERROR},
};

static bool push_number_field(lua_State *L, const LuaJob *job,
                              const char *name) {
  if (strcmp(name, "cost") == 0)
    compat_pushwhole(L, job->cost);
  else if (strcmp(name, "attempts") == 0)
    lua_pushinteger(L, (lua_Integer)job->attempts);
  else if (strcmp(name, "polls") == 0)
    lua_pushinteger(L, (lua_Integer)job->polls);
  else if (strcmp(name, "created_at") == 0)
    lua_pushnumber(L, job->created_at);
  else if (strcmp(name, "elapsed") == 0)
    lua_pushnumber(L, (job->ended > 0 ? job->ended : clock_monotonic()) -
                          job->started);
  else
    return false;
  return true;
}

static int m__index(lua_State *L) {
  const LuaJob *job;
  const char *name;
  lua_settop(L, 2);
  if (core_push_method(L))
    return 1;
  job = job_check(L, 1);
  name = lua_tostring(L, 2);
  if (!name)
    return 0;
  if (strcmp(name, "status") == 0) {
    lua_pushstring(L, status_names[job->status]);
    return 1;
  }
  if (strcmp(name, "balance") == 0) {
    job_push_balance(L, 1);
    return 1;
  }
  if (strcmp(name, "eta") == 0) {
    job_push_eta(L, 1);
    return 1;
  }
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    if (strcmp(name, fields[i].name) == 0) {
      job_get(L, 1, fields[i].slot);
      return 1;
    }
  return push_number_field(L, job, name);
}

/* job:done() -> whether nothing more will happen by itself */
static int m_done(lua_State *L) {
  lua_pushboolean(L, job_is_done(job_check(L, 1)));
  return 1;
}

/* job:raw() -> the last reply of the service, as received ("[key]" stands where
 * it repeated the API key) */
static int m_raw(lua_State *L) {
  job_check(L, 1);
  job_get(L, 1, JOB_RAW);
  if (lua_isnil(L, -1))
    lua_pushliteral(L, "");
  return 1;
}

static int m__tostring(lua_State *L) {
  const LuaJob *job = job_check(L, 1);
  const char *id;
  job_get(L, 1, JOB_ID);
  id = lua_tostring(L, -1);
  lua_pushfstring(L, "%s (%s, %s)", JOB_TYPE, id ? id : "no id yet",
                  status_names[job->status]);
  return 1;
}

/* ---- for the Lua side ---- */

/* ARG: client, id
** RES: a job that nothing is known of but its id */
static int f_handle(lua_State *L) {
  LuaJob *job;
  client_check(L, 1);
  luaL_checkstring(L, 2);
  job = job_push(L, 1, JOB_MODE_RESUME);
  job->status = JOB_UNKNOWN;
  job->ended = job->started;
  lua_pushvalue(L, 2);
  job_set(L, -2, JOB_ID);
  return 1;
}

/* ARG: client, {request=, idempotency_key=, metadata=, tenant=}, err | nil
** RES: a job nothing is done for: unknown with an error, else cancelled */
static int f_unknown_job(lua_State *L) {
  LuaJob *job;
  client_check(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 3);
  job = job_push(L, 1, JOB_MODE_GENERATE);
  job->status = lua_isnil(L, 3) ? JOB_CANCELLED : JOB_UNKNOWN;
  job->ended = job->started;
  lua_getfield(L, 2, "request");
  job_set_request(L, 4);
  lua_getfield(L, 2, "idempotency_key");
  job_set(L, 4, JOB_KEY);
  lua_getfield(L, 2, "metadata");
  job_set(L, 4, JOB_METADATA);
  lua_getfield(L, 2, "tenant");
  job_set(L, 4, JOB_TENANT);
  lua_pushvalue(L, 3);
  job_set(L, 4, JOB_ERROR);
  return 1;
}

/* Copies a field of the error at index 3 into the one at index 2. */
static void copy_field(lua_State *L, const char *name) {
  lua_getfield(L, 3, name);
  lua_setfield(L, 2, name);
}

/* ARG: job, err
** RES: err, which says what is known of the job and its money */
static int f_about(lua_State *L) {
  bool made;
  job_check(L, 1);
  lua_settop(L, 2);
  error_push_no_memory(L);
  if (lua_rawequal(L, 2, 3)) { /* one for all */
    lua_settop(L, 2);
    return 1;
  }
  lua_settop(L, 2);
  made = job_is_made(L, 1);
  job_get(L, 1, JOB_ERROR);
  if (lua_istable(L, 3)) {
    copy_field(L, "sent");
    copy_field(L, "charged");
  } else {
    lua_pushstring(L, made ? "yes" : NULL);
    lua_setfield(L, 2, "sent");
    lua_pushstring(L, made ? "yes" : "unknown");
    lua_setfield(L, 2, "charged");
  }
  job_get(L, 1, JOB_ID);
  lua_setfield(L, 2, "job_id");
  job_get(L, 1, JOB_KEY);
  lua_setfield(L, 2, "idempotency_key");
  lua_settop(L, 2);
  return 1;
}

/* ARG: job, files | nil, err | nil */
static int f_saved(lua_State *L) {
  job_check(L, 1);
  lua_settop(L, 3);
  job_set(L, 1, JOB_SAVE_ERROR);
  job_set(L, 1, JOB_FILES);
  return 0;
}

/* ARG: anything
** RES: whether it is a job */
static int f_is_job(lua_State *L) {
  lua_pushboolean(L, job_test(L, 1) != NULL);
  return 1;
}

/* ARG: job
** RES: its client's on_event, or nil */
static int f_handler(lua_State *L) {
  job_check(L, 1);
  job_get(L, 1, JOB_CLIENT);
  client_push_handler(L, -1);
  return 1;
}

void job_open(lua_State *L) {
  static const luaL_Reg meta[] = {{"__tostring", m__tostring}, {NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"done", m_done}, {"raw", m_raw}, {NULL, NULL}};
  static const luaL_Reg functions[] = {
      {"handle", f_handle}, {"unknown_job", f_unknown_job},
      {"saved", f_saved},   {"handler", f_handler},
      {"is_job", f_is_job}, {"about", f_about},
      {NULL, NULL}};
  luaL_newmetatable(L, JOB_TYPE);
  compat_setfuncs(L, meta);
  lua_pushliteral(L, JOB_TYPE);
  lua_setfield(L, -2, "__name");
  lua_pushliteral(L, JOB_TYPE);
  lua_setfield(L, -2, "__metatable");
  core_make_read_only(L, JOB_TYPE);
  lua_newtable(L); /* the Lua side completes it */
  compat_setfuncs(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "job_methods");
  lua_pushcclosure(L, m__index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  compat_setfuncs(L, functions);
}
