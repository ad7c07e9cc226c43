/*
 * What still comes for a job that its host has cancelled: its answers say what
 * is known of it, and of the money.  The job is at `at`.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_LATE_H
#define GPTIMAGE2_LUA_LATE_H

#include "lua/core.h"

/* It is at the service. */
void late_note(lua_State *L, int at, const Event *event);

/* Its last event: now it is known whether it was sent.  One that has an id was
 * made, whatever its last poll said. */
void late_settle(lua_State *L, int at, const Event *event);

#endif
