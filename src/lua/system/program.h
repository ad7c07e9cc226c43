/*
 * Programs of others, run to their end: core.run_program.  Host's thread, which
 * waits.
 */
#ifndef GPTIMAGE2_LUA_PROGRAM_H
#define GPTIMAGE2_LUA_PROGRAM_H

#include "lua/compat.h"

/* Gives the module table on top its `run_program`. */
void program_open(lua_State *L);

#endif
