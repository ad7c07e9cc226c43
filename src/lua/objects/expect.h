/*
 * What is expected of jobs: how long they will take, as far as their client has
 * learned it.  The job's eta (job.h) is in here, too.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_EXPECT_H
#define GPTIMAGE2_LUA_EXPECT_H

#include "lua/core.h"

/* The class of the request at `index` (nil: of none that is known). */
unsigned expect_class(lua_State *L, int index);

/* Completes the table of the core, on top. */
void expect_open(lua_State *L);

#endif
