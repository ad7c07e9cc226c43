/*
 * A table of texts as JSON.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_JSON_MAP_H
#define GPTIMAGE2_LUA_JSON_MAP_H

#include "lua/compat.h"

/* core.encode_map(table of texts) -> pieces of its JSON, sorted | nothing */
int json_encode_map(lua_State *L);

#endif
