/*
 * gptimage2.Transfer: a download, a written file, or a sleep.
 *
 * Private to the Lua side of this module, which builds job:save, job:data and
 * gptimage2.sleep of it.  Value table: [1] what it gave (path or bytes), [2]
 * its error, [3] the client, [4] the image's format.
 */
#include "transfer.h"

#include "client.h"
#include "lua/core.h"
#include "lua/shown/error.h"
#include "lua/shown/retryable.h"
#include "lua/values/fields.h"

enum { GIVEN = 1, ERROR = 2, OWNER = 3, FORMAT = 4 };

Transfer *transfer_test(lua_State *L, int index) {
  return compat_testudata(L, index, TRANSFER_TYPE);
}

static Transfer *check(lua_State *L, int index) {
  return luaL_checkudata(L, index, TRANSFER_TYPE);
}

/* Pushes a new transfer; `owner_index` 0 = none. */
static Transfer *push(lua_State *L, int owner_index) {
  Transfer *transfer = lua_newuserdata(L, sizeof *transfer);
  *transfer = (Transfer){0};
  luaL_getmetatable(L, TRANSFER_TYPE);
  lua_setmetatable(L, -2);
  lua_createtable(L, 2, 0);
  if (owner_index) {
    lua_pushvalue(L, owner_index);
    lua_rawseti(L, -2, OWNER);
  }
  compat_setuservalue(L, -2);
  transfer->handle = handles_add(L, &core_get(L)->handles, -1);
  return transfer;
}

/* The caller's holder, a table, and its key: the argument `arg` and the one
 * behind it, or none.  Whoever was broken off and calls once more finds there
 * what was begun: true, pushing it.  Else there is room for it. */
static bool is_held(lua_State *L, int arg) {
  if (!lua_istable(L, arg))
    return false;
  lua_pushvalue(L, arg + 1);
  lua_rawget(L, arg);
  if (lua_toboolean(L, -1))
    return true;
  lua_pop(L, 1);
  lua_pushvalue(L, arg + 1);
  lua_pushboolean(L, 0);
  lua_rawset(L, arg);
  return false;
}

/* holder[key] = the value on top, which stays there.  Needs no memory. */
static void hold(lua_State *L, int arg) {
  if (!arg || !lua_istable(L, arg))
    return;
  lua_pushvalue(L, arg + 1);
  lua_pushvalue(L, -2);
  lua_rawset(L, arg);
}

/* A new transfer that was not begun after all. */
static void forget(lua_State *L, Core *core, Transfer *transfer) {
  handles_drop(L, &core->handles, transfer->handle);
}

/* The transfer is on top, and of the client, where it has one: gives it, held,
 * or an error when it has no op. */
static int launched(lua_State *L, Core *core, Transfer *transfer,
                    const Client *client, int holder) {
  if (transfer->op) {
    core->pending += transfer->quiet ? 0 : 1;
    hold(L, holder);
    return 1;
  }
  forget(L, core, transfer);
  if (client && !client->account) {
    client_push_closed(L);
    return error_return(L);
  }
  error_push(L, "io", "no_thread",
             "the I/O thread could not be started: out of memory or threads");
  return error_return(L);
}

/* ARG: client, url, path | nil, overwrite, timeout in seconds, fresh
**      [, key of the ledger's job | nil, which image of it]
**      [, holder, key: see is_held]
** RES: transfer | nil, err
** (Whatever is allocated may run a finalizer that closes the client, or begins
** the same.) */
int transfer_download(lua_State *L) {
  enum { HOLDER = 9 };
  Core *core = core_get(L);
  Client *client = client_check(L, 1);
  DownloadSpec spec = {.url = luaL_checkstring(L, 2),
                       .path = luaL_optstring(L, 3, NULL),
                       .overwrite = lua_toboolean(L, 4),
                       .timeout = luaL_checknumber(L, 5),
                       .fresh = lua_toboolean(L, 6),
                       .key = luaL_optstring(L, 7, NULL),
                       .n = (unsigned)luaL_optinteger(L, 8, 0)};
  Transfer *transfer;
  lua_settop(L, HOLDER + 1);
  if (!client_is_here(L, core, client))
    return 2;
  if (is_held(L, HOLDER))
    return 1;
  transfer = push(L, 1);
  if (is_held(L, HOLDER)) {
    forget(L, core, transfer);
    return 1;
  }
  if (client->account)
    transfer->op =
        engine_download(core->engine, client->account, &spec, transfer->handle);
  return launched(L, core, transfer, client, HOLDER);
}

/* The pieces of the list at `index`, one after the other; false without memory.
 * Raises nothing: they are strings, as the caller has checked. */
static bool join(lua_State *L, int index, Chunks *text) {
  bool ok = true;
  for (int i = 1; ok && i <= (int)compat_rawlen(L, index); i++) {
    size_t length;
    const char *piece;
    lua_rawgeti(L, index, i);
    piece = lua_tolstring(L, -1, &length);
    ok = chunks_append(text, piece, length);
    lua_pop(L, 1);
  }
  return ok;
}

static void check_pieces(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  for (int i = 1; i <= (int)compat_rawlen(L, index); i++) {
    lua_rawgeti(L, index, i);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index, "strings expected");
    lua_pop(L, 1);
  }
}

/* ARG: path, pieces of the text, overwrite [, holder, key: see is_held]
** RES: transfer | nil, err */
int transfer_write(lua_State *L) {
  enum { HOLDER = 4 };
  Core *core = core_get(L);
  const char *path = luaL_checkstring(L, 1);
  Chunks text = {0};
  Transfer *transfer;
  check_pieces(L, 2);
  lua_settop(L, HOLDER + 1);
  if (!core_usable(L, core))
    return 2;
  if (is_held(L, HOLDER))
    return 1;
  transfer = push(L, 0);
  if (is_held(L, HOLDER)) {
    forget(L, core, transfer);
    return 1;
  }
  if (join(L, 2, &text))
    transfer->op = engine_write(core->engine, path, &text, lua_toboolean(L, 3),
                                transfer->handle);
  else
    chunks_free(&text);
  return launched(L, core, transfer, NULL, HOLDER);
}

/* ARG: seconds
** RES: transfer | nil, err */
int transfer_sleep(lua_State *L) {
  Core *core = core_get(L);
  double seconds = luaL_checknumber(L, 1);
  Transfer *transfer;
  if (!core_usable(L, core))
    return 2;
  transfer = push(L, 0);
  transfer->quiet = true;
  transfer->op = engine_sleep(core->engine, seconds, transfer->handle);
  return launched(L, core, transfer, NULL, 0);
}

void transfer_push_client(lua_State *L, int index) {
  compat_getuservalue(L, index);
  lua_rawgeti(L, -1, OWNER);
  lua_remove(L, -2);
}

/* Whether the client whose transfer has its value table on top is closed. */
static bool is_closed(lua_State *L) {
  const Client *client;
  bool closed;
  lua_rawgeti(L, -1, OWNER);
  client = client_test(L, -1);
  closed = client && !client->account;
  lua_pop(L, 1);
  return closed;
}

/* The words a note may use, as static texts: the engine keeps no copy. */
static const char *word(lua_State *L, int index, const char *name,
                        const char *const *words) {
  int at = field_word(L, index, name, words);
  return at < 0 ? NULL : words[at];
}

/* ARG: client, key, {state=, charged=, job_id=}
** RES: transfer | nil, err */
int transfer_note(lua_State *L) {
  static const char *const states[] = {"accepted", "abandoned", "unknown",
                                       NULL};
  static const char *const charges[] = {"yes", "no", "unknown", NULL};
  Core *core = core_get(L);
  Client *client = client_check(L, 1);
  const char *key = luaL_checkstring(L, 2);
  JobNote note = {.state = word(L, 3, "state", states),
                  .charged = word(L, 3, "charged", charges)};
  Transfer *transfer;
  if (!client_is_here(L, core, client))
    return 2;
  lua_settop(L, 3);
  lua_getfield(L, 3, "job_id");
  note.job_id = (char *)lua_tostring(L, 4);
  transfer = push(L, 1);
  if (client->account)
    transfer->op = engine_note(core->engine, client->account, key, &note,
                               transfer->handle);
  return launched(L, core, transfer, client, 0);
}

/* ARG: client, name, {budget=, weight=}; a budget without an end is none
** RES: transfer | nil, err */
int transfer_tenant(lua_State *L) {
  Core *core = core_get(L);
  Client *client = client_check(L, 1);
  const char *name = luaL_checkstring(L, 2);
  TenantChange change = {.weight = field_number(L, 3, "weight", 0),
                         .budget = field_number(L, 3, "budget", -1)};
  Transfer *transfer;
  change.has_budget = change.budget >= 0;
  if (!client_is_here(L, core, client))
    return 2;
  lua_settop(L, 3);
  transfer = push(L, 1);
  if (client->account)
    transfer->op = engine_tenant(core->engine, client->account, name, &change,
                                 transfer->handle);
  return launched(L, core, transfer, client, 0);
}

static void set_error(lua_State *L, const Event *event) {
  const Failure *failure = &event->failure;
  if (strcmp(failure->kind, "cancelled") == 0 && is_closed(L))
    client_push_closed(L);
  else
    error_push(L, failure->kind, failure->code,
               failure->detail ? failure->detail : failure->code);
  if (event->status) {
    error_set_number(L, "status", event->status);
    error_set_retryable(L,
                        retryable(failure->kind, failure->code, event->status));
  }
  lua_rawseti(L, -2, ERROR);
}

static void finish(lua_State *L, Core *core, Transfer *transfer) {
  transfer->done = true;
  transfer->op = NULL;
  core->pending -= transfer->quiet ? 0 : 1;
  handles_drop(L, &core->handles, transfer->handle);
}

void transfer_abandon(lua_State *L, Core *core, Transfer *transfer) {
  compat_getuservalue(L, -1);
  error_push_no_memory(L);
  lua_rawseti(L, -2, ERROR);
  lua_pop(L, 1);
  finish(L, core, transfer);
}

/* The books come last: without memory nothing has happened. */
void transfer_handle(lua_State *L, Core *core, Transfer *transfer,
                     Event *event) {
  compat_getuservalue(L, -1);
  if (event->failure.kind)
    set_error(L, event);
  else if (event->path) {
    lua_pushstring(L, event->path);
    lua_rawseti(L, -2, GIVEN);
  } else if (event->body) {
    lua_pushlstring(L, event->body, event->body_length);
    lua_rawseti(L, -2, GIVEN);
  }
  if (event->format) {
    lua_pushstring(L, event->format);
    lua_rawseti(L, -2, FORMAT);
  }
  lua_pop(L, 1);
  if (transfer->awaited)
    core_finished(L, -1);
  finish(L, core, transfer);
}

void transfer_cancel(lua_State *L, Transfer *transfer) {
  const Core *core = core_get(L);
  if (transfer->op && core_has_engine(core))
    engine_cancel(core->engine, transfer->op);
}

/* transfer:done() */
static int m_done(lua_State *L) {
  lua_pushboolean(L, check(L, 1)->done);
  return 1;
}

/* transfer:result() -> path | bytes | true | nil, err */
static int m_result(lua_State *L) {
  check(L, 1);
  compat_getuservalue(L, 1);
  lua_rawgeti(L, -1, ERROR);
  if (!lua_isnil(L, -1))
    return error_return(L);
  lua_rawgeti(L, -2, GIVEN);
  if (lua_isnil(L, -1))
    lua_pushboolean(L, 1);
  return 1;
}

/* transfer:format() -> "png" | "jpg" ... | nil */
static int m_format(lua_State *L) {
  check(L, 1);
  compat_getuservalue(L, 1);
  lua_rawgeti(L, -1, FORMAT);
  return 1;
}

void transfer_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"done", m_done},
                                     {"result", m_result},
                                     {"format", m_format},
                                     {NULL, NULL}};
  luaL_newmetatable(L, TRANSFER_TYPE);
  compat_setfuncs(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, TRANSFER_TYPE);
  lua_setfield(L, -2, "__name");
  lua_pop(L, 1);
}
