/*
 * What Lua lacks to look after files and folders: core.disk.  Each call blocks
 * for as long as the disk does.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_DISK_H
#define GPTIMAGE2_LUA_DISK_H

#include "lua/compat.h"

/* Gives the module table on top its `disk`. */
void disk_open(lua_State *L);

#endif
