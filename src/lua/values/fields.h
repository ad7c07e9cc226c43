/*
 * Fields of the tables that Lua hands over.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_FIELDS_H
#define GPTIMAGE2_LUA_FIELDS_H

#include "lua/compat.h"

#include <stdbool.h>

/* The field `name` of the table at `index`.  A text lives as long as the table
 * has it; NULL when it is none. */
const char *field_text(lua_State *L, int index, const char *name);
double field_number(lua_State *L, int index, const char *name, double fallback);
bool field_flag(lua_State *L, int index, const char *name);

/* Which of the words it is, counted from 0; -1 = none.  NULL ends them. */
int field_word(lua_State *L, int index, const char *name,
               const char *const *words);

#endif
