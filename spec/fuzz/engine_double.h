/*
 * The engine's stand-in: engine.h without a thread, a network or a clock.  One
 * job at a time, with a real JobState; what the service answers is said by Lua,
 * and what happens is told in the events that the real engine would send.
 */
#ifndef GPTIMAGE2_FUZZ_ENGINE_DOUBLE_H
#define GPTIMAGE2_FUZZ_ENGINE_DOUBLE_H

#include <lua.h>

/* Gives the table of functions that drive it, see engine_double.c. */
int engine_double_open(lua_State *L);

#endif
