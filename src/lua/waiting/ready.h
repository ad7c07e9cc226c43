/*
 * The queue of those who are to be woken.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_READY_H
#define GPTIMAGE2_LUA_READY_H

#include "lua/compat.h"

/* Completes the module table, which is on top. */
void ready_open(lua_State *L);

#endif
