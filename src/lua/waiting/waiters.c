/*
 * Those who wait: a table that the Lua side owns, object -> list of its
 * waiters, in the order in which they came.
 *
 * A list is a table: at 1, 2, ... the waiters; at each waiter its place, so
 * that leaving costs the same however many wait.  One who has left leaves
 * `false` behind, but for the end of the list: the last is always one who
 * waits.  At HOLES is how many of those there are; once they are more than the
 * others the list is closed up.
 *
 * All that changes here does so inside of one call: hooks never find it half
 * done.  Only joining needs memory; what may raise comes first.
 */
#include "waiters.h"

#define HOLES 0
#define HOLES_FEW 32 /* are not worth moving the others */

/* Pushes the list of the object at index 2 in the table at index 1; false,
 * pushing nothing, when there is none. */
static bool push_list(lua_State *L) {
  lua_pushvalue(L, 2);
  lua_rawget(L, 1);
  if (lua_istable(L, -1))
    return true;
  lua_pop(L, 1);
  return false;
}

/* The object at index 2 has no list any more. */
static void drop_list(lua_State *L) {
  lua_pushvalue(L, 2);
  lua_pushnil(L);
  lua_rawset(L, 1);
}

/* The same, for one that has none yet. */
static void push_new_list(lua_State *L) {
  lua_createtable(L, 1, 2); /* a finalizer in here may have made one */
  if (push_list(L)) {
    lua_replace(L, -2);
    return;
  }
  lua_pushinteger(L, 0);
  lua_rawseti(L, -2, HOLES);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
}

static int get_holes(lua_State *L) {
  int holes;
  lua_rawgeti(L, 4, HOLES);
  holes = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return holes;
}

static void set_holes(lua_State *L, int holes) {
  lua_pushinteger(L, holes);
  lua_rawseti(L, 4, HOLES);
}

/* The place of the waiter at index 3 in the list at index 4; 0 = it has none.
 */
static int place_of(lua_State *L) {
  int place;
  lua_pushvalue(L, 3);
  lua_rawget(L, 4);
  place = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return place;
}

/* The value on top, popped, is at list[place]; and so it is said there. */
static void put(lua_State *L, int place) {
  lua_pushvalue(L, -1);
  lua_rawseti(L, 4, place);
  lua_pushinteger(L, place);
  lua_rawset(L, 4);
}

/* ARG: table, object, waiter
** It waits for the object; one that does so already does so once. */
static int f_add(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (!push_list(L))
    push_new_list(L);
  if (place_of(L) == 0) {
    lua_pushvalue(L, 3);
    put(L, (int)compat_rawlen(L, 4) + 1);
  }
  return 0;
}

static bool is_hole(lua_State *L, int place) {
  bool hole;
  lua_rawgeti(L, 4, place);
  hole = !lua_toboolean(L, -1);
  lua_pop(L, 1);
  return hole;
}

/* Places from `first` to `last` are no more. */
static void shorten(lua_State *L, int first, int last) {
  for (; last >= first; last--) {
    lua_pushnil(L);
    lua_rawseti(L, 4, last);
  }
}

/* Those behind the holes move up. */
static void close_up(lua_State *L, int count) {
  int kept = 0;
  for (int i = 1; i <= count; i++) {
    if (is_hole(L, i))
      continue;
    lua_rawgeti(L, 4, i);
    put(L, ++kept);
  }
  shorten(L, kept + 1, count);
  set_holes(L, 0);
}

/* The list ends with one who waits, and has few holes; an empty one is none. */
static void tidy(lua_State *L, int holes) {
  int whole = (int)compat_rawlen(L, 4), count = whole;
  while (count > 0 && is_hole(L, count))
    count--;
  shorten(L, count + 1, whole);
  holes -= whole - count;
  set_holes(L, holes);
  if (count == 0)
    drop_list(L);
  else if (holes > HOLES_FEW && holes > count / 2)
    close_up(L, count);
}

/* ARG: table, object, waiter
** It waits for the object no longer. */
static int f_remove(lua_State *L) {
  int place;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 3);
  if (!push_list(L))
    return 0;
  place = place_of(L);
  if (place == 0)
    return 0;
  lua_pushvalue(L, 3);
  lua_pushnil(L);
  lua_rawset(L, 4);
  lua_pushboolean(L, 0);
  lua_rawseti(L, 4, place);
  tidy(L, get_holes(L) + 1);
  return 0;
}

bool waiters_leave(lua_State *L) {
  bool some = push_list(L);
  drop_list(L);
  if (some && compat_rawlen(L, -1) == 0) { /* there was no memory for them */
    lua_pop(L, 1);
    return false;
  }
  return some;
}

int waiters_next(lua_State *L, int list, int from) {
  for (int i = from; i <= (int)compat_rawlen(L, list); i++) {
    lua_rawgeti(L, list, i);
    if (lua_toboolean(L, -1))
      return i;
    lua_pop(L, 1);
  }
  return 0;
}

void waiters_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"add", f_add}, {"remove", f_remove}, {NULL, NULL}};
  compat_setfuncs(L, functions);
}
