/*
 * From the service's bytes to the job its host sees: all of src/lua in a real
 * Lua, over the engine's stand-in.  The rules are in reply.lua.
 */
#include "fuzz.h"

#include "engine_double.h"
#include "lua_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static lua_State *L;
  if (!L)
    L = lua_state_open("reply.lua", engine_double_open);
  lua_state_try(L, data, size);
  return 0;
}
