/*
 * Stand-ins for pictures that are not there yet: core.standin.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_STANDIN_H
#define GPTIMAGE2_LUA_STANDIN_H

#include "lua/compat.h"

/* ARG: the picture's name, width, height
** RES: the bytes of a PNG: a checker with the name on it */
int standin_draw(lua_State *L);

#endif
