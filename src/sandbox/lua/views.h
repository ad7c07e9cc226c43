/*
 * The sandbox's books as Lua tables. Runs on the thread of the Lua state.
 */
#ifndef GPTIMAGE2_SANDBOX_VIEWS_H
#define GPTIMAGE2_SANDBOX_VIEWS_H

#include <lua.h>

#include "sandbox/server/server.h"

/* Pushes the table that sandbox:ledger() returns. */
void views_push_ledger(lua_State *L, Server *server);

#endif
