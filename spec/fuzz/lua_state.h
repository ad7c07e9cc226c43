/*
 * A Lua state for the targets whose rules are told in Lua: <target>.lua beside
 * this file gives a function of the input, which raises when a rule is broken.
 * One thread.
 */
#ifndef GPTIMAGE2_FUZZ_LUA_STATE_H
#define GPTIMAGE2_FUZZ_LUA_STATE_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <stddef.h>
#include <stdint.h>

/* A state in which `require` finds the checkout's Lua files and the core linked
 * into this program.  The function at index 1 is what `file` (a name without
 * folder) gave when called with `open` (NULL = nothing).  Ends the process when
 * that fails. */
lua_State *lua_state_open(const char *file, lua_CFunction open);

/* Calls the function with the input.  An error is a finding. */
void lua_state_try(lua_State *L, const uint8_t *data, size_t size);

#endif
