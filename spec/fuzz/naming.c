/* The file names of saved images: the rules are in naming.lua. */
#include "fuzz.h"

#include "lua_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static lua_State *L;
  if (!L)
    L = lua_state_open("naming.lua", NULL);
  lua_state_try(L, data, size);
  return 0;
}
