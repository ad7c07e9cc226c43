/*
 * Objects that the engine works on, and which must live until it is done.
 *
 * They sit in an array, whose seats are taken again and again: a table by
 * address would have to be sorted anew every thousand objects, in the middle of
 * somebody's frame.  An object's ticket says where it sits and has a number of
 * its own, so that a late event finds nothing where another sits by now.
 */
#include "anchor.h"

#include <stdlib.h>

#define FIRST_SEATS 64
/* A ticket: the seat in its lower bits, the number of the one who sits there in
 * the others. */
#define SEAT_BITS (sizeof(Ticket) >= 8 ? 32 : 20)
#define SEAT_MASK (((Ticket)1 << SEAT_BITS) - 1)

static const char objects_key = 'o';

static Ticket ticket_of(uint32_t seat, uint32_t number) {
  return (Ticket)number << SEAT_BITS | seat;
}

/* The seat (from 1, as in the table) of a ticket; 0 when it has expired. */
static uint32_t seat_of(const Anchors *anchors, Ticket ticket) {
  uint32_t seat = (uint32_t)(ticket & SEAT_MASK);
  if (seat == 0 || seat > anchors->count)
    return 0;
  return ticket_of(seat, anchors->seats[seat - 1].number) == ticket ? seat : 0;
}

void anchor_open(lua_State *L) {
  lua_newtable(L);
  compat_setregistry(L, &objects_key);
}

void anchor_close(Anchors *anchors) {
  free(anchors->seats);
  *anchors = (Anchors){0};
}

void anchor_push_all(lua_State *L) {
  compat_getregistry(L, &objects_key);
}

/* Room for one more seat; false without memory. */
static bool reserve(Anchors *anchors) {
  uint32_t more = anchors->capacity ? 2 * anchors->capacity : FIRST_SEATS;
  Seat *grown;
  if (anchors->free || anchors->count < anchors->capacity)
    return true;
  grown =
      more < SEAT_MASK ? realloc(anchors->seats, more * sizeof *grown) : NULL;
  if (!grown)
    return false;
  anchors->seats = grown;
  anchors->capacity = more;
  return true;
}

Ticket anchor_add(lua_State *L, Anchors *anchors, int index) {
  uint32_t seat = anchors->free;
  index = compat_absindex(L, index);
  if (!reserve(anchors))
    return (Ticket)luaL_error(L, "not enough memory");
  anchor_push_all(L);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, (int)(seat ? seat : anchors->count + 1)); /* may raise */
  lua_pop(L, 1);
  if (seat) {
    anchors->free = anchors->seats[seat - 1].next;
  } else {
    seat = ++anchors->count;
    anchors->seats[seat - 1].number = 0;
  }
  return ticket_of(seat, anchors->seats[seat - 1].number);
}

void anchor_drop(lua_State *L, Anchors *anchors, Ticket ticket) {
  uint32_t seat = seat_of(anchors, ticket);
  if (!seat)
    return;
  anchor_push_all(L);
  lua_pushboolean(L, 0); /* nil would make a hole in the array */
  lua_rawseti(L, -2, (int)seat);
  lua_pop(L, 1);
  anchors->seats[seat - 1].number++;
  anchors->seats[seat - 1].next = anchors->free;
  anchors->free = seat;
}

bool anchor_push(lua_State *L, const Anchors *anchors, Ticket ticket) {
  uint32_t seat = seat_of(anchors, ticket);
  if (!seat)
    return false;
  anchor_push_all(L);
  lua_rawgeti(L, -1, (int)seat);
  lua_remove(L, -2);
  if (lua_isuserdata(L, -1))
    return true;
  lua_pop(L, 1);
  return false;
}
