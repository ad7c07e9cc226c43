/*
 * The slots of jobs: those of all, and the rare ones, which are in a table of
 * their own.
 */
#include "job.h"

void job_get(lua_State *L, int index, int slot) {
  if (slot <= JOB_ROOM) {
    compat_getslot(L, index, slot);
    return;
  }
  compat_getslot(L, index, JOB_RARE);
  if (lua_isnil(L, -1))
    return;
  lua_rawgeti(L, -1, slot - JOB_ROOM);
  lua_remove(L, -2);
}

/* job_set for one of the rare slots. */
static void set_rare(lua_State *L, int index, int slot) {
  compat_getslot(L, index, JOB_RARE);
  if (lua_isnil(L, -1) && !lua_isnil(L, -2)) {
    lua_pop(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, -1);
    compat_setslot(L, index, JOB_RARE);
  }
  lua_insert(L, -2);
  if (lua_isnil(L, -2)) /* nothing was there, and nothing comes */
    lua_pop(L, 1);
  else
    lua_rawseti(L, -2, slot - JOB_ROOM);
  lua_pop(L, 1);
}

void job_set(lua_State *L, int index, int slot) {
  if (slot <= JOB_ROOM)
    compat_setslot(L, index, slot);
  else
    set_rare(L, compat_absindex(L, index), slot);
}
