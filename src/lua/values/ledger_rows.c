/*
 * The ledger as the Lua side reads it: a page of rows at a time, however many
 * there are.
 *
 * Rows come as plain tables with the columns' names; what they mean is
 * said in lua/gptimage2/ledger.
 */
#include "ledger_rows.h"

#include "engine/ledger/ledger_reader.h"
#include "fields.h"
#include "lua/shown/error.h"

#include <stdio.h>

#define READER_TYPE "gptimage2.LedgerReader"

/* A page ends behind the row that reaches one of them. */
#define PAGE_ROWS 1000
#define PAGE_BYTES ((size_t)4 << 20)

static void close_reader(LedgerReader **reader) {
  if (*reader)
    ledger_reader_close(*reader);
  *reader = NULL;
}

/* The reader is owned by a userdata, so that no error can leak it.  Also its
 * method `close`. */
static int m__gc(lua_State *L) {
  close_reader(luaL_checkudata(L, 1, READER_TYPE));
  return 0;
}

static void set_text(lua_State *L, const char *name, const char *text) {
  if (!text)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_bytes(lua_State *L, const char *name, const char *bytes,
                      size_t length) {
  if (!bytes)
    return;
  lua_pushlstring(L, bytes, length);
  lua_setfield(L, -2, name);
}

static void set_files(lua_State *L, LedgerReader *reader, const char *key) {
  const char *path;
  lua_newtable(L);
  for (int n = 1; (path = ledger_reader_file(reader, key, (unsigned)n)); n++) {
    lua_pushstring(L, path);
    lua_rawseti(L, -2, n);
  }
  lua_setfield(L, -2, "files");
}

/* Who works on it, and whether that is done elsewhere at this moment. */
static void set_owner(lua_State *L, const LedgerReader *reader,
                      const char *owner) {
  if (!owner)
    return;
  set_text(L, "owner", owner);
  lua_pushboolean(L, ledger_reader_is_at_work(reader, owner));
  lua_setfield(L, -2, "elsewhere");
}

static void push_row(lua_State *L, LedgerReader *reader, const LedgerRow *row) {
  lua_createtable(L, 0, 26);
  set_text(L, "attempt_id", row->attempt_id);
  set_owner(L, reader, row->owner);
  set_text(L, "key", row->key);
  set_text(L, "state", row->state);
  set_text(L, "charged", row->charged);
  set_text(L, "base_url", row->base_url);
  set_text(L, "account", row->account);
  set_text(L, "tenant", row->tenant && *row->tenant ? row->tenant : NULL);
  set_text(L, "metadata", row->metadata);
  set_text(L, "job_id", row->job_id);
  set_text(L, "error", row->error);
  set_bytes(L, "body", row->body, row->body_length);
  if (!row->body || row->body_length == 0) { /* somebody took it out */
    set_text(L, "mode", row->mode);
    set_text(L, "prompt", row->prompt);
    set_text(L, "ratio", row->ratio);
  }
  set_bytes(L, "answer", row->answer, row->answer_length);
  set_bytes(L, "result", row->result, row->result_length);
  error_set_number(L, "count", row->count);
  error_set_number(L, "cost", row->cost);
  error_set_number(L, "attempts", row->attempts);
  error_set_number(L, "http_status", row->status);
  lua_pushnumber(L, row->created_at);
  lua_setfield(L, -2, "created_at");
  lua_pushnumber(L, row->updated_at);
  lua_setfield(L, -2, "updated_at");
  set_files(L, reader, row->key);
}

/* Pushes nil and an error for `failure`, which is cleared. */
static int fail(lua_State *L, Failure *failure) {
  error_push(L, failure->kind, failure->code,
             failure->detail ? failure->detail : failure->code);
  failure_clear(failure);
  return error_return(L);
}

/* Pushes a reader of the file whose path is the first argument; NULL, with
 * `failure`, where it cannot be read. */
static LedgerReader **push_reader(lua_State *L, const LedgerFilter *filter,
                                  Failure *failure) {
  LedgerReader **reader = lua_newuserdata(L, sizeof *reader);
  *reader = NULL;
  luaL_getmetatable(L, READER_TYPE);
  lua_setmetatable(L, -2);
  *reader = ledger_reader_open(luaL_checkstring(L, 1), filter, failure);
  return *reader ? reader : NULL;
}

static size_t size_of(const LedgerRow *row) {
  return row->body_length + row->answer_length + row->result_length;
}

/* The next page of the reader at `index`, which is closed behind the last one.
** RES: rows, with the reader as `rest` where there may be more | nil, err */
static int push_page(lua_State *L, int index) {
  LedgerReader **reader = lua_touserdata(L, index);
  Failure failure = {0};
  LedgerRow row;
  size_t bytes = 0;
  int count = 0;
  lua_newtable(L);
  while (*reader && ledger_reader_next(*reader, &row, &failure)) {
    push_row(L, *reader, &row);
    lua_rawseti(L, -2, ++count);
    bytes += size_of(&row);
    if (count == PAGE_ROWS || bytes >= PAGE_BYTES) {
      lua_pushvalue(L, index);
      lua_setfield(L, -2, "rest");
      return 1;
    }
  }
  close_reader(reader);
  return failure.kind ? fail(L, &failure) : 1;
}

/* ARG: path, {key=, job_id=, state=, tenant=, since=, until=, limit=,
**      unfinished=, newest_first=, file=, any_owner=}
** RES: as push_page */
static int f_ledger_rows(lua_State *L) {
  LedgerFilter filter = {.key = field_text(L, 2, "key"),
                         .job_id = field_text(L, 2, "job_id"),
                         .state = field_text(L, 2, "state"),
                         .tenant = field_text(L, 2, "tenant"),
                         .file = field_text(L, 2, "file"),
                         .any_owner = field_flag(L, 2, "any_owner"),
                         .since = field_number(L, 2, "since", 0),
                         .until = field_number(L, 2, "until", 0),
                         .limit = (long)field_number(L, 2, "limit", 0),
                         .unfinished = field_flag(L, 2, "unfinished"),
                         .newest_first = field_flag(L, 2, "newest_first")};
  Failure failure = {0};
  if (!push_reader(L, &filter, &failure))
    return fail(L, &failure);
  return push_page(L, lua_gettop(L));
}

/* Pushes one that finds nothing before it is told a key; NULL as above. */
static LedgerReader **push_finder(lua_State *L, Failure *failure) {
  LedgerFilter filter = {.key = "",
                         .file = field_text(L, 2, "file"),
                         .any_owner = field_flag(L, 2, "any_owner")};
  return push_reader(L, &filter, failure);
}

/* ARG: path, {file=, any_owner=}
** RES: a reader to `find` rows with | nil, err */
static int f_ledger_finder(lua_State *L) {
  Failure failure = {0};
  return push_finder(L, &failure) ? 1 : fail(L, &failure);
}

/* ARG: reader, key: all rows are those of one moment
** RES: row | nil | nil, err */
static int m_find(lua_State *L) {
  LedgerReader **reader = luaL_checkudata(L, 1, READER_TYPE);
  const char *key = luaL_checkstring(L, 2);
  Failure failure = {0};
  LedgerRow row;
  luaL_argcheck(L, *reader, 1, "it is closed");
  if (ledger_reader_find(*reader, key, &row, &failure)) {
    push_row(L, *reader, &row);
    return 1;
  }
  if (failure.kind)
    return fail(L, &failure);
  lua_pushnil(L);
  return 1;
}

static void set_credits(lua_State *L, const char *name, double credits) {
  compat_pushwhole(L, credits);
  lua_setfield(L, -2, name);
}

static void push_tenant(lua_State *L, const Tenant *tenant) {
  lua_createtable(L, 0, 5);
  if (tenant->budget < (double)INFINITY)
    set_credits(L, "budget", tenant->budget);
  set_credits(L, "reserved", tenant->reserved);
  set_credits(L, "spent", tenant->spent);
  set_credits(L, "weight", tenant->weight);
}

/* ARG: path, {file=, any_owner=}, name
** RES: {budget=, reserved=, spent=, weight=} | false when there is none | nil,
** err */
static int f_ledger_tenant(lua_State *L) {
  LedgerFilter filter = {.file = field_text(L, 2, "file"),
                         .any_owner = field_flag(L, 2, "any_owner"),
                         .limit = 1};
  const char *name = luaL_checkstring(L, 3);
  Failure failure = {0};
  Tenant tenant;
  LedgerReader **reader = push_reader(L, &filter, &failure);
  if (!reader || !ledger_reader_tenant(*reader, name, &tenant, &failure))
    return fail(L, &failure);
  close_reader(reader);
  if (tenant.found)
    push_tenant(L, &tenant);
  else
    lua_pushboolean(L, 0);
  return 1;
}

#define TENANTS_MAX 1000

/* ARG: path, {file=, any_owner=}, name: "" is before all
** RES: the tenants behind that one, with their `name`, TENANTS_MAX at most |
** nil, err */
static int f_ledger_tenants(lua_State *L) {
  char name[TENANT_NAME_MAX + 1] = "";
  Failure failure = {0};
  LedgerReader **reader = push_finder(L, &failure);
  Tenant tenant;
  if (!reader)
    return fail(L, &failure);
  snprintf(name, sizeof name, "%s", luaL_checkstring(L, 3));
  lua_newtable(L);
  for (int i = 1; i <= TENANTS_MAX &&
                  ledger_reader_next_tenant(*reader, name, &tenant, &failure);
       i++) {
    push_tenant(L, &tenant);
    set_text(L, "name", name);
    lua_rawseti(L, -2, i);
  }
  close_reader(reader);
  return failure.kind ? fail(L, &failure) : 1;
}

/* The rows of the list at `index`, which keeps their texts alive. */
static LedgerClaim *push_claims(lua_State *L, int index, size_t count) {
  LedgerClaim *claims = lua_newuserdata(L, (count + 1) * sizeof *claims);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, index, (int)i + 1);
    claims[i] = (LedgerClaim){.key = field_text(L, -1, "key"),
                              .state = field_text(L, -1, "state"),
                              .owner = field_text(L, -1, "owner")};
    lua_pop(L, 1);
  }
  return claims;
}

/* ARG: path, {file=, any_owner=}, worker | nil, {{key=, state=, owner=} ...} as
**      they were read
** RES: a list of whether each is that worker's now | nil, err: none is */
static int f_ledger_claim(lua_State *L) {
  LedgerPlace place = {.path = luaL_checkstring(L, 1),
                       .file = field_text(L, 2, "file"),
                       .any_owner = field_flag(L, 2, "any_owner")};
  const char *worker = luaL_optstring(L, 3, NULL);
  size_t count = (luaL_checktype(L, 4, LUA_TTABLE), compat_rawlen(L, 4));
  LedgerClaim *claims = push_claims(L, 4, count);
  Failure failure = {0};
  if (!ledger_claim(&place, worker, claims, count, &failure))
    return fail(L, &failure);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushboolean(L, claims[i].taken);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* ARG: reader
** RES: as push_page */
static int m_rows(lua_State *L) {
  luaL_checkudata(L, 1, READER_TYPE);
  lua_settop(L, 1);
  return push_page(L, 1);
}

#define FINDINGS_MAX 1000

/* ARG: path, {file=, any_owner=}
** RES: a list of {code=, key=, detail=}, its first thousand, with the `version`
**      of the tables | nil, err */
static int f_ledger_audit(lua_State *L) {
  LedgerFinding finding;
  Failure failure = {0};
  LedgerReader **reader = push_finder(L, &failure);
  if (!reader)
    return fail(L, &failure);
  lua_newtable(L);
  error_set_number(L, "version", ledger_reader_version(*reader));
  for (int i = 1;
       i <= FINDINGS_MAX && ledger_reader_finding(*reader, &finding, &failure);
       i++) {
    lua_createtable(L, 0, 3);
    set_text(L, "code", finding.code);
    set_text(L, "key", finding.key);
    set_text(L, "detail", finding.detail);
    lua_rawseti(L, -2, i);
  }
  close_reader(reader);
  return failure.kind ? fail(L, &failure) : 1;
}

void ledger_rows_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"ledger_rows", f_ledger_rows},
                                       {"ledger_finder", f_ledger_finder},
                                       {"ledger_audit", f_ledger_audit},
                                       {"ledger_tenants", f_ledger_tenants},
                                       {"ledger_claim", f_ledger_claim},
                                       {"ledger_tenant", f_ledger_tenant},
                                       {NULL, NULL}};
  static const luaL_Reg methods[] = {{"rows", m_rows},
                                     {"find", m_find},
                                     {"close", m__gc},
                                     {"__gc", m__gc},
                                     {NULL, NULL}};
  luaL_newmetatable(L, READER_TYPE);
  compat_setfuncs(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  compat_setfuncs(L, functions);
}
