/*
 * A program that embeds Lua, runs one file with the words of its command line,
 * and returns from main without closing the state.
 */
#include <stdio.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

int main(int count, char **words) {
  lua_State *L = luaL_newstate();
  if (!L || count < 2)
    return 2;
  luaL_openlibs(L);
  if (luaL_loadfile(L, words[1]) == 0) {
    for (int i = 2; i < count; i++)
      lua_pushstring(L, words[i]);
    if (lua_pcall(L, count - 2, 0, 0) == 0)
      return 0;
  }
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  return 1;
}
