/*
 * From a checked request to a job that the engine works on.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_SUBMIT_H
#define GPTIMAGE2_LUA_SUBMIT_H

#include "lua/compat.h"

/* core.submit(client, mode, options) -> job | nil, err */
int submit(lua_State *L);

#endif
