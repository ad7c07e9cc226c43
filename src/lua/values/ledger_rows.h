/*
 * The ledger as the Lua side reads it.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_LEDGER_ROWS_H
#define GPTIMAGE2_LUA_LEDGER_ROWS_H

#include "lua/compat.h"

/* Completes the module table, which is on top. */
void ledger_rows_open(lua_State *L);

#endif
