/*
 * gptimage2.Client.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_CLIENT_H
#define GPTIMAGE2_LUA_CLIENT_H

#include "lua/core.h"

#include <stdbool.h>

#define CLIENT_TYPE "gptimage2.Client"

typedef struct Client {
  Account *account;    /* NULL after close */
  double timeout;      /* seconds for a job */
  double budget;       /* credits, infinite = none */
  double spent;        /* credits */
  unsigned generation; /* see engine_generation */
  unsigned refunds;    /* ids that were put into the table of them, wrapping */
  bool verify_references;
  bool recorded;     /* in a ledger: what a close leaves is recover's */
  bool has_listener; /* it has an on_event */
  bool has_balance;  /* some reply told one */
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
/* True when the engine can be used, and the client's ledger, if it has one, is
 * this process's; else pushes nil and an error (2 values). */
bool client_is_here(lua_State *L, Core *core, const Client *client);
/* The same, and it is not closed. */
bool client_usable(lua_State *L, Core *core, const Client *client);

#endif
