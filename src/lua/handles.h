/*
 * Objects that the engine works on: they are kept alive until it is done, and
 * found again by what it gives back.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_HANDLES_H
#define GPTIMAGE2_LUA_HANDLES_H

#include "compat.h"

#include <stdbool.h>
#include <stdint.h>

/* Where an object is anchored, for the engine, which gives it back with each of
 * the object's events; 0 = nowhere. */
typedef uintptr_t Handle;

typedef struct Slot {
  uint32_t number; /* of the object in there, or the next; wraps */
  uint32_t next;   /* the free one after this free one; 0 = none */
} Slot;

typedef struct Handles {
  Slot *slots; /* slot n is the n-th */
  uint32_t count;
  uint32_t capacity;
  uint32_t free; /* the first free one; 0 = none */
} Handles;

void handles_open(lua_State *L);
void handles_close(Handles *handles);
/* Keeps the object at `index` alive until it is dropped. */
Handle handles_add(lua_State *L, Handles *handles, int index);
/* Nothing happens when it was dropped before. */
void handles_drop(lua_State *L, Handles *handles, Handle handle);
/* Pushes the anchored object; false, pushing nothing, when it was dropped. */
bool handles_push(lua_State *L, const Handles *handles, Handle handle);
/* Pushes the array of all anchored objects; some of its elements are false. */
void handles_push_all(lua_State *L);

#endif
