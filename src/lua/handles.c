/*
 * Objects that the engine works on, and which must live until it is done.
 *
 * They are in an array, whose slots are used again and again: a table by
 * address would have to be sorted anew every thousand objects, in the middle of
 * somebody's frame.  An object's handle names its slot and has a number of its
 * own, so that a late event finds nothing where another object is by now.
 */
#include "handles.h"

#include <stdlib.h>

#define FIRST_SLOTS 64
/* A handle: the slot in its lower bits, the number of the object in there in
 * the others. */
#define SLOT_BITS (sizeof(Handle) >= 8 ? 32 : 20)
#define SLOT_MASK (((Handle)1 << SLOT_BITS) - 1)

static const char objects_key = 'o';

static Handle handle_of(uint32_t slot, uint32_t number) {
  return (Handle)number << SLOT_BITS | slot;
}

/* The slot (from 1, as in the table) of a handle; 0 when its object is gone. */
static uint32_t slot_of(const Handles *handles, Handle handle) {
  uint32_t slot = (uint32_t)(handle & SLOT_MASK);
  if (slot == 0 || slot > handles->count)
    return 0;
  return handle_of(slot, handles->slots[slot - 1].number) == handle ? slot : 0;
}

void handles_open(lua_State *L) {
  lua_newtable(L);
  compat_setregistry(L, &objects_key);
}

void handles_close(Handles *handles) {
  free(handles->slots);
  *handles = (Handles){0};
}

void handles_push_all(lua_State *L) {
  compat_getregistry(L, &objects_key);
}

/* Room for one more slot; false without memory. */
static bool reserve(Handles *handles) {
  uint32_t more = handles->capacity ? 2 * handles->capacity : FIRST_SLOTS;
  Slot *grown;
  if (handles->free || handles->count < handles->capacity)
    return true;
  grown =
      more < SLOT_MASK ? realloc(handles->slots, more * sizeof *grown) : NULL;
  if (!grown)
    return false;
  handles->slots = grown;
  handles->capacity = more;
  return true;
}

Handle handles_add(lua_State *L, Handles *handles, int index) {
  uint32_t slot = handles->free;
  index = compat_absindex(L, index);
  if (!reserve(handles))
    return (Handle)luaL_error(L, "not enough memory");
  handles_push_all(L);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, (int)(slot ? slot : handles->count + 1)); /* may raise */
  lua_pop(L, 1);
  if (slot) {
    handles->free = handles->slots[slot - 1].next;
  } else {
    slot = ++handles->count;
    handles->slots[slot - 1].number = 0;
  }
  return handle_of(slot, handles->slots[slot - 1].number);
}

void handles_drop(lua_State *L, Handles *handles, Handle handle) {
  uint32_t slot = slot_of(handles, handle);
  if (!slot)
    return;
  handles_push_all(L);
  lua_pushboolean(L, 0); /* nil would make a hole in the array */
  lua_rawseti(L, -2, (int)slot);
  lua_pop(L, 1);
  handles->slots[slot - 1].number++;
  handles->slots[slot - 1].next = handles->free;
  handles->free = slot;
}

bool handles_push(lua_State *L, const Handles *handles, Handle handle) {
  uint32_t slot = slot_of(handles, handle);
  if (!slot)
    return false;
  handles_push_all(L);
  lua_rawgeti(L, -1, (int)slot);
  lua_remove(L, -2);
  if (lua_isuserdata(L, -1))
    return true;
  lua_pop(L, 1);
  return false;
}
