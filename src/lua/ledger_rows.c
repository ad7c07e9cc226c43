/*
 * The ledger as the Lua side reads it.
 *
 * Rows come as plain tables with the columns' names; what they mean is
 * lua/gptimage2/ledger.lua's to say.
 */
#include "core.h"

#include "../engine/ledger_reader.h"

#define READER_TYPE "gptimage2.LedgerReader"

/* The reader is owned by a userdata, so that no error can leak it. */
static int m__gc(lua_State *L) {
  LedgerReader **reader = luaL_checkudata(L, 1, READER_TYPE);
  if (*reader)
    ledger_reader_close(*reader);
  *reader = NULL;
  return 0;
}

static const char *text_field(lua_State *L, int index, const char *name) {
  const char *text;
  lua_getfield(L, index, name);
  text = lua_tostring(L, -1);
  lua_pop(L, 1); /* the table keeps it alive */
  return text;
}

static double number_field(lua_State *L, int index, const char *name) {
  double number;
  lua_getfield(L, index, name);
  number = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return number;
}

static bool flag_field(lua_State *L, int index, const char *name) {
  bool flag;
  lua_getfield(L, index, name);
  flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
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

static void push_row(lua_State *L, LedgerReader *reader, const LedgerRow *row) {
  lua_createtable(L, 0, 23);
  set_text(L, "attempt_id", row->attempt_id);
  set_text(L, "key", row->key);
  set_text(L, "state", row->state);
  set_text(L, "charged", row->charged);
  set_text(L, "base_url", row->base_url);
  set_text(L, "account", row->account);
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

/* ARG: path, {key=, job_id=, state=, since=, until=, limit=, unfinished=,
**      newest_first=, file=, any_owner=}
** RES: rows | nil, err */
static int f_ledger_rows(lua_State *L) {
  LedgerFilter filter = {.key = text_field(L, 2, "key"),
                         .job_id = text_field(L, 2, "job_id"),
                         .state = text_field(L, 2, "state"),
                         .file = text_field(L, 2, "file"),
                         .any_owner = flag_field(L, 2, "any_owner"),
                         .since = number_field(L, 2, "since"),
                         .until = number_field(L, 2, "until"),
                         .limit = (long)number_field(L, 2, "limit"),
                         .unfinished = flag_field(L, 2, "unfinished"),
                         .newest_first = flag_field(L, 2, "newest_first")};
  LedgerReader **reader = lua_newuserdata(L, sizeof *reader);
  Failure failure = {0};
  LedgerRow row;
  int count = 0;
  *reader = NULL;
  luaL_getmetatable(L, READER_TYPE);
  lua_setmetatable(L, -2);
  *reader = ledger_reader_open(luaL_checkstring(L, 1), &filter, &failure);
  if (!*reader)
    return fail(L, &failure);
  lua_newtable(L);
  while (ledger_reader_next(*reader, &row, &failure)) {
    push_row(L, *reader, &row);
    lua_rawseti(L, -2, ++count);
  }
  ledger_reader_close(*reader);
  *reader = NULL;
  return failure.kind ? fail(L, &failure) : 1;
}

void ledger_rows_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"ledger_rows", f_ledger_rows},
                                       {NULL, NULL}};
  luaL_newmetatable(L, READER_TYPE);
  lua_pushcfunction(L, m__gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  compat_setfuncs(L, functions);
}
