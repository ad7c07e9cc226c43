/*
 * Those who wait for a thing.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_WAITERS_H
#define GPTIMAGE2_LUA_WAITERS_H

#include "lua/compat.h"

#include <stdbool.h>

/* Completes the module table, which is on top. */
void waiters_open(lua_State *L);
/* The table at index 1 has no list for the object at index 2 any more.  Pushes
 * the list; false, pushing nothing, when there was none. */
bool waiters_leave(lua_State *L);
/* Pushes the first waiter of the list at the index `list` whose place is `from`
 * or behind it, and gives its place; 0, pushing nothing, when there is none. */
int waiters_next(lua_State *L, int list, int from);

#endif
