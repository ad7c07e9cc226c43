/*
 * JSON: lua-cjson, through an instance of our own.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_JSON_H
#define GPTIMAGE2_LUA_JSON_H

#include "lua/compat.h"

#include <stdbool.h>
#include <stddef.h>

void json_open(lua_State *L);
/* Pushes the encoded request at `index`: fields in a fixed order. */
void json_push_request(lua_State *L, int index);
/* Pushes the object that the bytes hold; false, pushing nothing, when they hold
 * no JSON object. */
bool json_push_object(lua_State *L, const char *bytes, size_t length);
/* core.encode(string | number | boolean) -> JSON text */
int json_encode(lua_State *L);
int json_encode_request(lua_State *L);

#endif
