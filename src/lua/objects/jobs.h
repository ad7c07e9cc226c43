/*
 * The jobs of a client: listing them, and ending them.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_JOBS_H
#define GPTIMAGE2_LUA_JOBS_H

#include "lua/compat.h"

/* Completes the module table, which is on top. */
void jobs_open(lua_State *L);

#endif
