/*
 * What the binding needs of the Lua API and 5.1 or LuaJIT lack.
 */
#ifndef GPTIMAGE2_SANDBOX_LUA_COMPAT_H
#define GPTIMAGE2_SANDBOX_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <string.h>

/* Sets the functions of the list in the table on top. */
static inline void compat_set_functions(lua_State *L, const luaL_Reg *list) {
  for (; list->name; list++) {
    lua_pushcfunction(L, list->func);
    lua_setfield(L, -2, list->name);
  }
}

/* Raises where the module was built for another Lua than the running one. */
static inline void compat_check_version(lua_State *L) {
#if LUA_VERSION_NUM >= 502
  luaL_checkversion(L);
#else
  lua_getglobal(L, "_VERSION");
  const char *version = lua_tostring(L, -1);
  if (!version || strcmp(version, "Lua 5.1") != 0)
    luaL_error(L, "gptimage2.sandbox was built for Lua 5.1");
  lua_pop(L, 1);
#endif
}

#endif
