/*
 * Digests for Lua: core.digest.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_DIGESTS_H
#define GPTIMAGE2_LUA_DIGESTS_H

#include "lua/compat.h"

/* Gives the module table on top its `digest`. */
void digests_open(lua_State *L);

#endif
