/*
 * The sandbox's books as Lua tables. Runs on the thread of the Lua state.
 */
#ifndef GPTIMAGE2_SANDBOX_BOOKS_H
#define GPTIMAGE2_SANDBOX_BOOKS_H

#include <lua.h>

#include "sandbox/server/server.h"

/* Pushes the table that sandbox:ledger() returns. */
void books_push(lua_State *L, Server *server);

#endif
