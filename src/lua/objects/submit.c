/*
 * From a checked request to a job the engine works on.
 *
 * Nothing is spent here; what is reserved is given back when the job turns out
 * not to have cost anything (verdict.c).
 */
#include "submit.h"

#include "client.h"
#include "engine/base/platform.h"
#include "expect.h"
#include "job.h"
#include "lua/core.h"
#include "lua/shown/credits.h"
#include "lua/shown/error.h"
#include "lua/values/fields.h"
#include "lua/values/json.h"

#include <math.h>
#include <stdio.h>

#define KEY_BYTES 16 /* 128 random bits: design, section 6 */

/* Pushes a fresh idempotency key. */
static bool push_new_key(lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  unsigned char bytes[KEY_BYTES];
  char text[2 * KEY_BYTES];
  if (!platform_random(bytes, sizeof bytes))
    return false;
  for (size_t i = 0; i < KEY_BYTES; i++) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  lua_pushlstring(L, text, 2 * KEY_BYTES);
  return true;
}

static JobMode check_mode(lua_State *L, int index) {
  static const char *const names[] = {"generate", "create", "poll", "resume",
                                      NULL};
  static const JobMode modes[] = {JOB_MODE_GENERATE, JOB_MODE_CREATE_ONLY,
                                  JOB_MODE_POLL_ONCE, JOB_MODE_RESUME};
  return modes[luaL_checkoption(L, index, NULL, names)];
}

/* What the stack looks like inside submit. */
enum { CLIENT = 1, MODE, OPTIONS, JOB, BODY, KEY, ID };

/* The URLs to look at before spending, in `urls`; they live as long as the
 * request table does. */
static unsigned read_references(lua_State *L, const Client *client,
                                const char **urls) {
  unsigned count = 0;
  if (!client->verify_references)
    return 0;
  lua_getfield(L, OPTIONS, "request");
  lua_getfield(L, -1, "image_urls");
  if (lua_istable(L, -1))
    for (int i = 1; i <= REFERENCES_MAX && i <= (int)compat_rawlen(L, -1);
         i++) {
      lua_rawgeti(L, -1, i);
      urls[count++] = lua_tostring(L, -1);
      lua_pop(L, 1);
    }
  lua_pop(L, 2);
  return count;
}

/* Notes the option in the job, where it is given. */
static void keep_option(lua_State *L, const char *name, int slot) {
  lua_getfield(L, OPTIONS, name);
  if (lua_isnil(L, -1))
    lua_pop(L, 1);
  else
    job_set(L, JOB, slot);
}

/* Pushes body and key and notes them in the job; false pushes an error. */
static bool prepare_request(lua_State *L, LuaJob *job) {
  lua_getfield(L, OPTIONS, "request");
  luaL_checktype(L, -1, LUA_TTABLE);
  lua_pushvalue(L, -1);
  job->class = expect_class(L, -1) & 63u;
  job_set_request(L, JOB);
  lua_getfield(L, OPTIONS, "body"); /* of a recorded job: the very bytes */
  if (lua_isnil(L, -1)) {
    json_push_request(L, -2);
    lua_remove(L, -2);
  }
  lua_replace(L, BODY);
  lua_pop(L, 1);
  lua_getfield(L, OPTIONS, "idempotency_key");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    if (!push_new_key(L)) {
      error_push(L, "io", "no_randomness",
                 "the system gave no random bytes for an idempotency key");
      return false;
    }
  }
  lua_pushvalue(L, -1);
  lua_replace(L, KEY);
  job_set(L, JOB, JOB_KEY);
  keep_option(L, "metadata", JOB_METADATA);
  keep_option(L, "tenant", JOB_TENANT);
  keep_option(L, "earlier_id", JOB_EARLIER_ID);
  job->earlier_paid = field_flag(L, OPTIONS, "vouched");
  return true;
}

/* Whether the job that this one goes on with is known to be at the service. */
static bool has_made_origin(lua_State *L) {
  bool made;
  lua_getfield(L, OPTIONS, "origin");
  made = job_test(L, -1) && job_is_made(L, lua_gettop(L));
  lua_pop(L, 1);
  return made;
}

/* Notes the id of a job that exists already, or so the caller says. */
static void prepare_id(lua_State *L, LuaJob *job) {
  job->status = JOB_PENDING;
  lua_getfield(L, OPTIONS, "idempotency_key");
  lua_pushvalue(L, -1);
  lua_replace(L, KEY);
  job_set(L, JOB, JOB_KEY);
  lua_getfield(L, OPTIONS, "request");
  job_set_request(L, JOB);
  keep_option(L, "metadata", JOB_METADATA);
  keep_option(L, "tenant", JOB_TENANT);
  lua_getfield(L, OPTIONS, "id");
  luaL_checkstring(L, -1);
  lua_pushvalue(L, -1);
  lua_replace(L, ID);
  job_set(L, JOB, JOB_ID);
  job->vouched = field_flag(L, OPTIONS, "vouched") || has_made_origin(L);
}

/* Pushes the error for a job that is too dear; one that may have been sent
 * before may have been charged. */
static void push_budget_exceeded(lua_State *L, const Client *client,
                                 const LuaJob *job) {
  char text[160];
  bool maybe_charged = field_flag(L, OPTIONS, "maybe_charged");
  snprintf(text, sizeof text,
           "this would spend %.0f credits more, and %.0f of the client's "
           "budget of %.14g are spent: %s",
           job->cost, client->spent, client->budget,
           maybe_charged ? "it was not sent again" : "nothing was sent");
  error_push(L, "budget", "budget_exceeded", text);
  error_set(L, "sent", maybe_charged ? "yes" : "no");
  error_set(L, "charged",
            job->earlier_paid ? "yes"
            : maybe_charged   ? "unknown"
                              : "no");
}

/* Reserves the job's cost; false pushes an error.  `before`: whether that was
 * done when it was sent for the first time. */
static bool reserve(lua_State *L, Client *client, LuaJob *job, bool before) {
  if (!before && client->spent + job->cost > client->budget) {
    push_budget_exceeded(L, client, job);
    return false;
  }
  job_reserve(L, JOB, before);
  job->reserved = !before;
  return true;
}

/* What the ledger is to know of the job; the texts live as long as the options
 * do. */
static void read_entry(lua_State *L, LuaJob *job, LedgerEntry *entry) {
  lua_getfield(L, OPTIONS, "request");
  *entry = (LedgerEntry){.mode = field_text(L, -1, "mode"),
                         .prompt = field_text(L, -1, "prompt"),
                         .ratio = field_text(L, -1, "ratio"),
                         .metadata = field_text(L, OPTIONS, "metadata_json"),
                         .job_id = field_text(L, OPTIONS, "earlier_id"),
                         .seen_id = field_text(L, OPTIONS, "attempt_id"),
                         .seen_owner = field_text(L, OPTIONS, "owner"),
                         .tenant = field_text(L, OPTIONS, "tenant"),
                         .count = (int)(job->cost / CREDITS_EACH),
                         .cost = (int)job->cost};
  lua_pop(L, 1);
}

/* What the Lua side must find by the job from the moment that it is going:
 * by_job[table] is what that table has by it, and holder[key] is the job.
 * Undoing it needs no memory. */
static void tie(lua_State *L, LuaJob *job, bool tied) {
  lua_getfield(L, OPTIONS, "by_job");
  if (lua_istable(L, -1)) {
    for (lua_pushnil(L); lua_next(L, -2);) {
      lua_pushvalue(L, JOB);
      lua_insert(L, -2);
      if (!tied) {
        lua_pop(L, 1);
        lua_pushnil(L);
      }
      lua_rawset(L, -3);
    }
    job->awaited = tied;
  }
  lua_getfield(L, OPTIONS, "holder");
  if (lua_istable(L, -1)) {
    lua_getfield(L, OPTIONS, "key");
    if (tied)
      lua_pushvalue(L, JOB);
    else
      lua_pushnil(L);
    lua_rawset(L, -3);
  }
  lua_pop(L, 2);
}

/* Hands the job to the engine; false pushes an error.  `before`: its credits
 * stay reserved if it cannot be started.  Whatever was allocated until here may
 * have run a finalizer that closed the client; from here on nothing does (on
 * 5.1 a lua_pcall would).  All that is to be remembered of it is so before the
 * engine has it: nothing of the host's (a hook, say) can come in between. */
static bool launch(lua_State *L, Core *core, Client *client, LuaJob *job,
                   const JobSpec *spec, bool before) {
  if (!client->account) {
    client_push_closed(L);
    return false;
  }
  if (spec->body && !reserve(L, client, job, before))
    return false;
  tie(L, job, true);
  job->handle = handles_add(L, &core->handles, JOB);
  job->op = engine_job(core->engine, client->account, spec, job->handle);
  if (job->op) {
    core->pending++;
    return true;
  }
  tie(L, job, false);
  handles_drop(L, &core->handles, job->handle);
  if (!before)
    job_refund(L, JOB);
  error_push(L, "io", "no_thread",
             "the I/O thread could not be started: out of memory or threads");
  return false;
}

/* The same, once it is known what the engine needs. */
static bool start(lua_State *L, Core *core, Client *client, LuaJob *job,
                  bool before) {
  LedgerEntry entry;
  const char *urls[REFERENCES_MAX];
  JobSpec spec = {.mode = job->mode,
                  .timeout =
                      field_number(L, OPTIONS, "timeout", client->timeout),
                  .has_listener = client->has_listener};
  spec.body = lua_tolstring(L, BODY, &spec.body_length);
  spec.idempotency_key = lua_tostring(L, KEY);
  spec.service_id = lua_tostring(L, ID);
  spec.hearsay = spec.service_id && !job->vouched;
  spec.former = field_text(L, OPTIONS, "former");
  lua_getfield(L, OPTIONS, "idempotency_key");
  spec.key_is_known = !lua_isnil(L, -1); /* the caller's: who knows */
  lua_pop(L, 1);
  if (spec.body) {
    spec.class = job->class;
    spec.reference_count = read_references(L, client, urls);
    if (client->account && account_has_ledger(client->account)) {
      read_entry(L, job, &entry);
      spec.entry = &entry;
    }
    spec.again = field_flag(L, OPTIONS, "again"); /* in the ledger already */
    spec.maybe_charged = field_flag(L, OPTIONS, "maybe_charged");
    spec.earlier_paid = job->earlier_paid;
    spec.earlier_id = field_text(L, OPTIONS, "earlier_id");
  }
  spec.references = urls;
  return launch(L, core, client, job, &spec, before);
}

/* ARG: client, "generate"|"create"|"poll"|"resume",
**      {request=, id=, timeout=, idempotency_key=, metadata=, tenant=,
**       metadata_json=, body=, again=, attempt_id=, owner=, maybe_charged=,
**       former=, reserved=, origin=, quiet=, vouched=, earlier_id=,
**       by_job=, holder=, key=: see tie}
** RES: job | nil, err */
int submit(lua_State *L) {
  Client *client = client_check(L, CLIENT);
  JobMode mode = check_mode(L, MODE);
  Core *core = core_get(L);
  LuaJob *job;
  bool before;
  luaL_checktype(L, OPTIONS, LUA_TTABLE);
  lua_settop(L, OPTIONS);
  if (!client_usable(L, core, client))
    return 2;
  job = job_push(L, CLIENT, mode);
  lua_settop(L, ID);
  if (mode == JOB_MODE_POLL_ONCE || mode == JOB_MODE_RESUME)
    prepare_id(L, job);
  else if (!prepare_request(L, job))
    return error_return(L);
  before = !lua_isstring(L, BODY) ||
           (field_flag(L, OPTIONS, "reserved") && job_has_reserved(L, JOB));
  keep_option(L, "origin", JOB_ORIGIN);
  job->quiet = field_flag(L, OPTIONS, "quiet");
  if (!start(L, core, client, job,
             before)) /* the last that may raise: it is going */
    return error_return(L);
  lua_pushvalue(L, JOB);
  return 1;
}
