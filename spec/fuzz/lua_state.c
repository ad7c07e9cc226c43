/* A Lua state for fuzz targets: see lua_state.h. */
#include "lua_state.h"

#include "fuzz.h"

#define CLEAN_EACH 256 /* inputs between two full collections */

int luaopen_gptimage2_core(lua_State *L);

static void must(lua_State *L, int result) {
  check(result == LUA_OK, "%s", lua_tostring(L, -1));
}

/* The error with where it came from. */
static int trace(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

lua_State *lua_state_open(const char *file, lua_CFunction open) {
  lua_State *L = luaL_newstate();
  if (!L)
    abort();
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_pushliteral(L, FUZZ_ROOT "/lua/?.lua;" FUZZ_ROOT "/lua/?/init.lua;");
  lua_getfield(L, -2, "path");
  lua_concat(L, 2);
  lua_setfield(L, -2, "path");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_gptimage2_core);
  lua_setfield(L, -2, "gptimage2.core");
  lua_settop(L, 0);
  lua_pushfstring(L, FUZZ_ROOT "/spec/fuzz/%s", file);
  must(L, luaL_loadfile(L, lua_tostring(L, -1)));
  lua_remove(L, 1);
  if (open)
    lua_pushcfunction(L, open);
  must(L, lua_pcall(L, open ? 1 : 0, 1, 0));
  luaL_checktype(L, 1, LUA_TFUNCTION);
  return L;
}

void lua_state_try(lua_State *L, const uint8_t *data, size_t size) {
  static unsigned tried;
  lua_pushcfunction(L, trace);
  lua_pushvalue(L, 1);
  lua_pushlstring(L, (const char *)data, size);
  must(L, lua_pcall(L, 1, 0, 2));
  lua_settop(L, 1);
  if (++tried % CLEAN_EACH == 0)
    lua_gc(L, LUA_GCCOLLECT, 0);
}
