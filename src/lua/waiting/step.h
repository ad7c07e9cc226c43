/*
 * A step: what has arrived is taken in, and told.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_STEP_H
#define GPTIMAGE2_LUA_STEP_H

#include "lua/compat.h"

/* core.step(after, left, [timeout]) -> handled */
int step(lua_State *L);
/* core.announce(object): tells its on_event of a job that was cancelled */
int step_announce(lua_State *L);
int step_guard(lua_State *L);

#endif
