/*
 * Lua code that may do little, and not for ever.
 *
 * While it runs, all memory comes through an allocator that counts and ends at
 * a limit; a hook counts its instructions; and what texts have as methods are
 * those of its own `string`.  All three are undone before anything else of the
 * host's runs, whatever happens inside: a protected call comes back always.
 * What it may call is the Lua side's affair (lua/gptimage2/assets/manifest).
 */
#include "cage.h"

#include <stdbool.h>
#include <stdlib.h>

#define COUNT_EACH 10000 /* instructions between two looks */

typedef struct Cage {
  lua_Alloc allocate; /* the state's own */
  void *data;
  size_t used; /* bytes that it has now and had not before */
  size_t limit;
  double instructions; /* that are left */
} Cage;

static const char cage_key = 'c';

static void *allocate(void *data, void *block, size_t before, size_t after) {
  Cage *cage = data;
  size_t had = block ? before : 0; /* else it tells what is to be made */
  void *made;
  if (after > had && after - had > cage->limit - cage->used)
    return NULL;
  made = cage->allocate(cage->data, block, before, after);
  if (!made && after > 0)
    return NULL;
  if (after > had)
    cage->used += after - had;
  else /* what was there before may be freed, too */
    cage->used -= had - after < cage->used ? had - after : cage->used;
  return made;
}

static void count(lua_State *L, lua_Debug *event) {
  Cage *cage;
  (void)event;
  compat_getregistry(L, &cage_key);
  cage = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (!cage)
    return;
  cage->instructions -= COUNT_EACH;
  if (cage->instructions <= 0)
    luaL_error(L, "it does not come to an end");
}

/* The metatable of texts gets the value on top as __index, which is popped;
 * what it had is pushed. */
static void swap_methods(lua_State *L) {
  lua_pushliteral(L, "");
  if (!lua_getmetatable(L, -1)) {
    lua_pop(L, 2);
    lua_pushnil(L);
    return;
  }
  lua_remove(L, -2);
  lua_pushliteral(L, "__index");
  lua_rawget(L, -2);
  lua_insert(L, -3); /* before, new, metatable */
  lua_insert(L, -2); /* before, metatable, new */
  lua_pushliteral(L, "__index");
  lua_insert(L, -2);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* ARG: function, its string table, instructions, bytes
** RES: true, what it returned first | false, the message */
static int f_cage(lua_State *L) {
  Cage cage = {.instructions = luaL_checknumber(L, 3),
               .limit = (size_t)luaL_checknumber(L, 4)};
  lua_Hook hook = lua_gethook(L);
  int mask = lua_gethookmask(L);
  int every = lua_gethookcount(L);
  Cage *outer;
  int status;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checkstack(L, 16, NULL);
  lua_settop(L, 2);
  compat_getregistry(L, &cage_key); /* a finalizer may run another inside */
  outer = lua_touserdata(L, -1);
  lua_pop(L, 1);
  lua_pushlightuserdata(L, &cage);
  compat_setregistry(L, &cage_key);
  swap_methods(L); /* 2: what texts had before */
  lua_insert(L, 1);
  cage.allocate = lua_getallocf(L, &cage.data);
  lua_sethook(L, count, LUA_MASKCOUNT, COUNT_EACH);
  lua_setallocf(L, allocate, &cage);
  status = lua_pcall(L, 0, 1, 0);
  lua_setallocf(L, cage.allocate, cage.data);
  lua_sethook(L, hook, mask, every);
  lua_pushvalue(L, 1);
  swap_methods(L);
  lua_pop(L, 1);
  if (outer)
    lua_pushlightuserdata(L, outer);
  else
    lua_pushnil(L);
  compat_setregistry(L, &cage_key); /* over what is there: no memory */
  lua_pushboolean(L, status == 0);
  lua_insert(L, -2);
  return 2;
}

void cage_open(lua_State *L) {
  lua_pushcfunction(L, f_cage);
  lua_setfield(L, -2, "cage");
}
