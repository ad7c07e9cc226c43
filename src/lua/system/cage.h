/*
 * Lua code that may do little, and not for ever: core.cage.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_CAGE_H
#define GPTIMAGE2_LUA_CAGE_H

#include "lua/compat.h"

/* Gives the module table on top its `cage`. */
void cage_open(lua_State *L);

#endif
