/*
 * What the ledger's bytes mean.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_RECORD_H
#define GPTIMAGE2_LUA_RECORD_H

#include "lua/compat.h"

/* Completes the module table, which is on top. */
void record_open(lua_State *L);

#endif
