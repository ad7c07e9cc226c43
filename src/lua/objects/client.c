/*
 * gptimage2.Client: the settings of one account, its budget and its balance.
 *
 * The API key goes from the Lua string into the account and is not kept
 * anywhere else.  Value table: "handler", "base_url", "reserved", "refunds",
 * "created".
 */
#include "client.h"

#include "engine/base/clock.h"
#include "lua/core.h"
#include "lua/shown/error.h"
#include "lua/values/fields.h"

#include <math.h>
#include <time.h>

#define LEDGER_PATIENCE 0.5 /* seconds: see open_ledger */

Client *client_check(lua_State *L, int index) {
  return luaL_checkudata(L, index, CLIENT_TYPE);
}

Client *client_test(lua_State *L, int index) {
  return compat_testudata(L, index, CLIENT_TYPE);
}

void client_push_handler(lua_State *L, int index) {
  compat_getuservalue(L, index);
  lua_getfield(L, -1, "handler");
  lua_remove(L, -2);
}

void client_push_reserved(lua_State *L, int index) {
  compat_getuservalue(L, index);
  lua_getfield(L, -1, "reserved");
  lua_remove(L, -2);
}

void client_push_refunds(lua_State *L, int index) {
  compat_getuservalue(L, index);
  lua_getfield(L, -1, "refunds");
  lua_remove(L, -2);
}

void client_push_balance(lua_State *L, const Balance *balance) {
  static const char *const names[BALANCE_FIELDS] = {
      "paid_credits", "free_images_remaining", "total_images",
      "free_images_per_day"};
  lua_createtable(L, 0, BALANCE_FIELDS);
  for (size_t i = 0; i < BALANCE_FIELDS; i++)
    if (!isnan(balance->fields[i])) {
      compat_pushwhole(L, balance->fields[i]);
      lua_setfield(L, -2, names[i]);
    }
}

/* SQLite's files must not be used by a child, nor closed there. */
static bool is_forked(const Client *client) {
  return client->recorded && client->generation != engine_generation();
}

bool client_is_here(lua_State *L, Core *core, const Client *client) {
  if (!core_usable(L, core))
    return false;
  if (!is_forked(client))
    return true;
  lua_pushnil(L);
  error_push(L, "closed", "forked",
             "the client's ledger was opened before this process was forked, "
             "and is its parent's: make the client after the fork");
  return false;
}

void client_push_closed(lua_State *L) {
  error_push(L, "closed", "client_closed",
             "the client is closed: make a new one with gptimage2.new");
}

bool client_usable(lua_State *L, Core *core, const Client *client) {
  if (!client_is_here(L, core, client))
    return false;
  if (client->account)
    return true;
  lua_pushnil(L);
  client_push_closed(L);
  return false;
}

static unsigned read_count(lua_State *L, int index, const char *name) {
  double number = field_number(L, index, name, 1);
  return number < 1e9 ? (unsigned)number : 1000000000u;
}

/* The names are in the order of the enum. */
static RetryMode read_retry(lua_State *L, int index) {
  static const char *const names[] = {"safe", "documented", "idempotent", NULL};
  int mode = field_word(L, index, "retry", names);
  return mode < 0 ? RETRY_DOCUMENTED : (RetryMode)mode;
}

static void read_settings(lua_State *L, int index, AccountSettings *settings) {
  *settings = (AccountSettings){
      .service.base_url = field_text(L, index, "base_url"),
      .service.api_key = field_text(L, index, "api_key"),
      .service.user_agent = field_text(L, index, "user_agent"),
      .service.proxy = field_text(L, index, "proxy"),
      .service.ca_file = field_text(L, index, "ca_file"),
      .service.connect_timeout = field_number(L, index, "connect_timeout", 10),
      .request_timeout = field_number(L, index, "request_timeout", 60),
      .max_active = read_count(L, index, "max_active"),
      .max_connections = read_count(L, index, "max_connections"),
      .allow_private_references =
          field_flag(L, index, "allow_private_references"),
      .learns = field_flag(L, index, "poll_learned"),
      .poll_share = field_number(L, index, "poll_share", 1),
      .state = {
          .retry = read_retry(L, index),
          .max_attempts = read_count(L, index, "max_attempts"),
          .poll = {.first = field_number(L, index, "poll_first", 2),
                   .interval = field_number(L, index, "poll_interval", 2.5),
                   .max = field_number(L, index, "poll_max", 2.5),
                   .unit = field_number(L, index, "poll_unit", 1)}}};
  luaL_argcheck(L,
                settings->service.base_url && settings->service.api_key &&
                    settings->service.user_agent,
                index, "base_url, api_key and user_agent expected");
}

/* The client before this one, just closed, may need a moment to let go. */
static bool open_ledger(lua_State *L, int index, Ledger **ledger,
                        Failure *failure) {
  static const struct timespec moment = {.tv_nsec = 10000000};
  const char *path = field_text(L, index, "ledger");
  LedgerOptions options = {.any_owner = field_flag(L, index, "any_owner"),
                           .alone = field_flag(L, index, "ledger_alone"),
                           .account = field_text(L, index, "account"),
                           .api_key = field_text(L, index, "api_key")};
  double until = clock_monotonic() + LEDGER_PATIENCE;
  if (!path)
    return true;
  while (!(*ledger = ledger_open_as(path, &options, failure)) &&
         strcmp(failure->code, "ledger_locked") == 0 &&
         clock_monotonic() < until)
    nanosleep(&moment, NULL);
  if (*ledger)
    failure_clear(failure);
  return *ledger != NULL;
}

/* What the Lua side needs for reading the very same file: "ledger", now
 * absolute, "ledger_file", "account" and "worker" of the options' table. */
static void tell_ledger(lua_State *L, int index, const Ledger *ledger) {
  lua_pushstring(L, ledger_path(ledger));
  lua_setfield(L, index, "ledger");
  lua_pushstring(L, ledger_file_of(ledger));
  lua_setfield(L, index, "ledger_file");
  lua_pushstring(L, ledger_account(ledger));
  lua_setfield(L, index, "account");
  lua_pushstring(L, ledger_worker(ledger));
  lua_setfield(L, index, "worker");
}

/* ARG: checked options, see options.lua; those about a ledger are made exact
** RES: client | nil, err */
static int f_client(lua_State *L) {
  AccountSettings settings;
  Ledger *ledger = NULL;
  Failure failure = {0};
  Client *client;
  luaL_checktype(L, 1, LUA_TTABLE);
  read_settings(L, 1, &settings);
  client = lua_newuserdata(L, sizeof *client);
  *client =
      (Client){.timeout = field_number(L, 1, "timeout", 600),
               .budget = field_number(L, 1, "budget", (double)INFINITY),
               .verify_references = field_flag(L, 1, "verify_references")};
  luaL_getmetatable(L, CLIENT_TYPE);
  lua_setmetatable(L, -2);
  lua_createtable(L, 0, 5);
  lua_getfield(L, 1, "on_event");
  client->has_listener = !lua_isnil(L, -1);
  lua_setfield(L, -2, "handler");
  lua_getfield(L, 1, "base_url");
  lua_setfield(L, -2, "base_url");
  lua_newtable(L);
  lua_setfield(L, -2, "reserved");
  lua_newtable(L);
  lua_setfield(L, -2, "refunds");
  lua_newtable(L);
  lua_setfield(L, -2, "created");
  compat_setuservalue(L, -2);
  if (!open_ledger(L, 1, &ledger, &failure)) {
    error_push(L, failure.kind, failure.code,
               failure.detail ? failure.detail : failure.code);
    failure_clear(&failure);
    return error_return(L);
  }
  client->account = account_new(&settings, ledger);
  if (!client->account)
    return luaL_error(L, "not enough memory");
  if (ledger) /* the account's now: an error here leaks nothing */
    tell_ledger(L, 1, ledger);
  client->recorded = ledger != NULL;
  client->generation = engine_generation();
  return 1;
}

void client_drop(Core *core, Client *client) {
  Account *account = client->account;
  client->account = NULL;
  if (!account || is_forked(client))
    return;
  if (!core->engine)
    account_drop(account);
  else if (!engine_is_forked(core->engine))
    engine_drop_account(core->engine, account);
}

/* No unfinished job names this client, or it would not be collected. */
static int m__gc(lua_State *L) {
  client_drop(core_get(L), client_check(L, 1));
  return 0;
}

static int m__tostring(lua_State *L) {
  Client *client = client_check(L, 1);
  compat_getuservalue(L, 1);
  lua_getfield(L, -1, "base_url");
  lua_pushfstring(L, "%s (%s%s)", CLIENT_TYPE, lua_tostring(L, -1),
                  client->account ? "" : ", closed");
  return 1;
}

/* client.balance, client.spent, client:method() */
static int m__index(lua_State *L) {
  Client *client;
  const char *name;
  lua_settop(L, 2);
  if (core_push_method(L))
    return 1;
  client = client_check(L, 1);
  name = lua_tostring(L, 2);
  if (name && strcmp(name, "spent") == 0) {
    compat_pushwhole(L, client->spent);
    return 1;
  }
  if (name && strcmp(name, "balance") == 0) {
    if (client->has_balance)
      client_push_balance(L, &client->balance);
    else
      lua_pushnil(L);
    return 1;
  }
  return 0;
}

/* ARG: client
** RES: nothing when it can be used | nil, err */
static int m_usable(lua_State *L) {
  const Client *client = client_check(L, 1);
  return client_usable(L, core_get(L), client) ? 0 : 2;
}

/* ARG: client
** RES: for the Lua side, a table that lives as long as the client */
static int f_created(lua_State *L) {
  client_check(L, 1);
  compat_getuservalue(L, 1);
  lua_getfield(L, -1, "created");
  return 1;
}

/* ARG: client, key
** What was reserved under the key will not be given back any more. */
static int f_spend(lua_State *L) {
  client_check(L, 1);
  luaL_checkstring(L, 2);
  lua_settop(L, 2);
  client_push_reserved(L, 1);
  lua_insert(L, 2);
  lua_pushnil(L);
  lua_rawset(L, 2);
  return 0;
}

void client_open(lua_State *L) {
  static const luaL_Reg meta[] = {
      {"__gc", m__gc}, {"__tostring", m__tostring}, {NULL, NULL}};
  luaL_newmetatable(L, CLIENT_TYPE);
  compat_setfuncs(L, meta);
  lua_pushliteral(L, CLIENT_TYPE);
  lua_setfield(L, -2, "__name");
  lua_pushliteral(L, CLIENT_TYPE);
  lua_setfield(L, -2, "__metatable");
  core_make_read_only(L, CLIENT_TYPE);
  lua_newtable(L); /* the Lua side completes it */
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "client_methods");
  lua_pushcclosure(L, m__index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, f_client);
  lua_setfield(L, -2, "client");
  lua_pushcfunction(L, f_created);
  lua_setfield(L, -2, "created");
  lua_pushcfunction(L, f_spend);
  lua_setfield(L, -2, "spend");
  lua_pushcfunction(L, m_usable);
  lua_setfield(L, -2, "usable");
}
