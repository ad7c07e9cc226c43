/* Fields of tables: see fields.h. */
#include "fields.h"

const char *field_text(lua_State *L, int index, const char *name) {
  const char *text;
  lua_getfield(L, index, name);
  text = lua_tostring(L, -1);
  lua_pop(L, 1);
  return text;
}

double field_number(lua_State *L, int index, const char *name,
                    double fallback) {
  double number;
  lua_getfield(L, index, name);
  number = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : fallback;
  lua_pop(L, 1);
  return number;
}

bool field_flag(lua_State *L, int index, const char *name) {
  bool flag;
  lua_getfield(L, index, name);
  flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

int field_word(lua_State *L, int index, const char *name,
               const char *const *words) {
  const char *text = field_text(L, index, name);
  for (int i = 0; text && words[i]; i++)
    if (strcmp(text, words[i]) == 0)
      return i;
  return -1;
}
