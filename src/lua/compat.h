/*
 * One source for Lua 5.1 to 5.5 and LuaJIT: the few functions whose
 * name or meaning differs between them.
 */
#ifndef GPTIMAGE2_LUA_COMPAT_H
#define GPTIMAGE2_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#include <string.h>

#if LUA_VERSION_NUM >= 502

#define compat_setfuncs(L, functions) luaL_setfuncs(L, functions, 0)
#define compat_rawlen(L, index) lua_rawlen(L, index)
#define compat_testudata(L, index, name) luaL_testudata(L, index, name)
#define compat_absindex(L, index) lua_absindex(L, index)
#define compat_setuservalue(L, index) lua_setuservalue(L, index)
#define compat_getuservalue(L, index) ((void)lua_getuservalue(L, index))

#else

static inline int compat_absindex(lua_State *L, int index) {
  return index > 0 || index <= LUA_REGISTRYINDEX ? index
                                                 : lua_gettop(L) + index + 1;
}

static inline void compat_setfuncs(lua_State *L, const luaL_Reg *functions) {
  for (; functions->name; functions++) {
    lua_pushcfunction(L, functions->func);
    lua_setfield(L, -2, functions->name);
  }
}

static inline void *compat_testudata(lua_State *L, int index,
                                     const char *name) {
  void *data = lua_touserdata(L, index);
  if (!data || !lua_getmetatable(L, index))
    return NULL;
  lua_getfield(L, LUA_REGISTRYINDEX, name);
  if (!lua_rawequal(L, -1, -2))
    data = NULL;
  lua_pop(L, 2);
  return data;
}

#define compat_rawlen(L, index) lua_objlen(L, index)
#define compat_setuservalue(L, index) ((void)lua_setfenv(L, index))
#define compat_getuservalue(L, index) lua_getfenv(L, index)

#endif

/* A userdata with `count` slots for Lua values, numbered from 1, which can be
 * set without memory.  Lua 5.4 has the slots inside; before, they are in a
 * table beside it. */
static inline void *compat_newslots(lua_State *L, size_t size, int count) {
#if LUA_VERSION_NUM >= 504
  return lua_newuserdatauv(L, size, count);
#else
  void *data = lua_newuserdata(L, size);
  lua_createtable(L, count, 0);
  compat_setuservalue(L, -2);
  return data;
#endif
}

/* Pushes the value of a slot. */
static inline void compat_getslot(lua_State *L, int index, int slot) {
#if LUA_VERSION_NUM >= 504
  lua_getiuservalue(L, index, slot);
#else
  compat_getuservalue(L, index);
  lua_rawgeti(L, -1, slot);
  lua_replace(L, -2);
#endif
}

/* slot = value on top, which is popped. */
static inline void compat_setslot(lua_State *L, int index, int slot) {
#if LUA_VERSION_NUM >= 504
  lua_setiuservalue(L, index, slot);
#else
  compat_getuservalue(L, index);
  lua_insert(L, -2);
  lua_rawseti(L, -2, slot);
  lua_pop(L, 1);
#endif
}

/* registry[key] where the key is the address of a static variable. */
static inline void compat_getregistry(lua_State *L, const void *key) {
  lua_pushlightuserdata(L, (void *)key);
  lua_rawget(L, LUA_REGISTRYINDEX);
}

/* registry[key] = value on top, which is popped. */
static inline void compat_setregistry(lua_State *L, const void *key) {
  lua_pushlightuserdata(L, (void *)key);
  lua_insert(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
}

/* A number; a whole one is an integer where Lua has them. */
static inline void compat_pushwhole(lua_State *L, double number) {
#if LUA_VERSION_NUM >= 503
  if (number >= (double)LUA_MININTEGER && number < -(double)LUA_MININTEGER &&
      (double)(lua_Integer)number == number) {
    lua_pushinteger(L, (lua_Integer)number);
    return;
  }
#endif
  lua_pushnumber(L, (lua_Number)number);
}

/* Raises unless the running Lua is the one this was built for: a mismatch would
 * otherwise load and then fail in ways nobody can read. */
static inline void compat_checkversion(lua_State *L) {
#if LUA_VERSION_NUM >= 502
  luaL_checkversion(L);
#else
  lua_getglobal(L, "_VERSION");
  if (strcmp(luaL_optstring(L, -1, ""), "Lua 5.1") != 0)
    luaL_error(L, "gptimage2: built for Lua 5.1, loaded by another version");
  lua_pop(L, 1);
#endif
}

#endif
