/*
 * What a job's events show.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_REPLY_H
#define GPTIMAGE2_LUA_REPLY_H

#include "lua/core.h"
#include "lua/objects/job.h"

/* Handles the event for the job on top of the stack.  Returns the name of the
 * public event that follows from it, or NULL. */
const char *reply_handle(lua_State *L, Core *core, LuaJob *job, Event *event);
/* Ends the job on top without memory, when its last event cannot be read. */
void reply_abandon(lua_State *L, Core *core, LuaJob *job, const Event *event);

#endif
