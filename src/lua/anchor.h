/*
 * Objects that the engine works on: they are kept alive until it is done, and
 * found again by what it gives back.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_ANCHOR_H
#define GPTIMAGE2_LUA_ANCHOR_H

#include "compat.h"

#include <stdbool.h>
#include <stdint.h>

/* Where an object is anchored, for the engine, which gives it back with each of
 * the object's events; 0 = nowhere. */
typedef uintptr_t Ticket;

typedef struct Seat {
  uint32_t number; /* of the one who sits there, or will next; wraps */
  uint32_t next;   /* the free one after this free one; 0 = none */
} Seat;

typedef struct Anchors {
  Seat *seats; /* seat n is the n-th */
  uint32_t count;
  uint32_t capacity;
  uint32_t free; /* the first free one; 0 = none */
} Anchors;

void anchor_open(lua_State *L);
void anchor_close(Anchors *anchors);
/* Keeps the object at `index` alive until it is dropped. */
Ticket anchor_add(lua_State *L, Anchors *anchors, int index);
/* Nothing happens when it was dropped before. */
void anchor_drop(lua_State *L, Anchors *anchors, Ticket ticket);
/* Pushes the anchored object; false, pushing nothing, when it was dropped. */
bool anchor_push(lua_State *L, const Anchors *anchors, Ticket ticket);
/* Pushes the array of all anchored objects; some of its elements are false. */
void anchor_push_all(lua_State *L);

#endif
