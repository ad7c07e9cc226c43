/*
 * What Lua lacks to talk to a person: core.terminal.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_TERMINAL_H
#define GPTIMAGE2_LUA_TERMINAL_H

#include "lua/compat.h"

/* Gives the module table on top its `terminal`. */
void terminal_open(lua_State *L);

#endif
