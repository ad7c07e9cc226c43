/*
 * The ready queue: the functions and coroutines that are to be woken.
 *
 * One that was taken is in hand until it was woken.  Where an error of the
 * host's (a hook, a finalizer) comes in between it is woken once more: the
 * queue forgets nobody, and who is in it must not mind being woken twice.  All
 * that changes here does so inside of one call, so that hooks never find it
 * half done.
 *
 * Three lists, each a table of pairs: a waiter, and whether it counts as
 * something unfinished.  In `now` a table stands for all that are in it, who
 * waited for the same thing: however many they are, they join the queue at
 * once, and leave it one by one.  What may raise (there is no memory) comes
 * first.
 */
#include "ready.h"

#include "lua/core.h"
#include "waiters.h"

/* The pairs of a list; none while `last` is before `first`. */
typedef struct Span {
  int first, last;
} Span;

typedef struct Ready {
  Span now, later, hand;
  int taken;        /* of the list that is the first of `now` */
  unsigned counted; /* of now and later */
  unsigned counted_in_hand;
} Ready;

static const char ready_key = 'r';
static const char now_key = 'n';
static const char later_key = 'l';
static const char hand_key = 'h';

static Ready *get_ready(lua_State *L) {
  Ready *ready;
  compat_getregistry(L, &ready_key);
  ready = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return ready;
}

static int size_of(const Span *span) {
  return span->last - span->first + 1;
}

/* Appends the pair on top, which stays there. */
static void append(lua_State *L, const char *key, Span *span) {
  int at = span->last + 1;
  compat_getregistry(L, key);
  lua_pushvalue(L, -3);
  lua_rawseti(L, -2, 2 * at - 1);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, 2 * at);
  lua_pop(L, 1);
  span->last = at;
}

/* Pushes the pair at `at`. */
static void push_pair(lua_State *L, const char *key, int at) {
  compat_getregistry(L, key);
  lua_rawgeti(L, -1, 2 * at - 1);
  lua_rawgeti(L, -2, 2 * at);
  lua_remove(L, -3);
}

static void clear(lua_State *L, const char *key, int at) {
  compat_getregistry(L, key);
  for (int i = 2 * at - 1; i <= 2 * at; i++) {
    lua_pushnil(L);
    lua_rawseti(L, -2, i);
  }
  lua_pop(L, 1);
}

/* The first pair leaves its list. */
static void drop_first(lua_State *L, const char *key, Span *span) {
  clear(L, key, span->first++);
  if (span->first > span->last)
    *span = (Span){.first = 1};
}

/* The pair on top, popped, is in the queue. */
static void enqueue(lua_State *L, Ready *ready, const char *key, Span *span) {
  append(L, key, span);
  ready->counted += lua_toboolean(L, -1) ? 1 : 0;
  lua_pop(L, 2);
}

/* ARG: table, object that is done
** Its list is in the queue; the last counts for all of them. */
static int f_ready(lua_State *L) {
  Ready *ready = get_ready(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (waiters_leave(L)) {
    lua_pushboolean(L, 1);
    enqueue(L, ready, &now_key, &ready->now);
  }
  return 0;
}

/* ARG: waiter, whether it counts
** It joins the queue at the next turn. */
static int f_later(lua_State *L) {
  Ready *ready = get_ready(L);
  luaL_checkany(L, 1);
  lua_settop(L, 2);
  enqueue(L, ready, &later_key, &ready->later);
  return 0;
}

/* ARG: table, key, value that is a table, waiter
** The value stands in the table behind the one before it, which it has as
** `before`; and the waiter joins the queue at the next turn.  Both at once: one
** that stands there has somebody who goes on with it, whatever hook raises.
** Without memory it may be in the queue alone, which harms less. */
static int f_line_up(lua_State *L) {
  const Core *core = core_get(L);
  Ready *ready = get_ready(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 4);
  lua_pushliteral(L, "before"); /* may run a finalizer, which may line up */
  lua_pushvalue(L, 2);
  lua_rawget(L, 1);
  lua_rawset(L, 3);
  lua_pushvalue(L, 4);
  lua_pushboolean(L, 1);
  enqueue(L, ready, &later_key, &ready->later);
  lua_settop(L, 3);
  lua_rawset(L, 1);
  if (core_has_engine(core))
    engine_stay_readable(core->engine);
  return 0;
}

/* Those of `later` join the queue. */
static int f_turn(lua_State *L) {
  Ready *ready = get_ready(L);
  while (size_of(&ready->later) > 0) {
    push_pair(L, &later_key, ready->later.first);
    append(L, &now_key, &ready->now);
    drop_first(L, &later_key, &ready->later);
    lua_pop(L, 2);
  }
  return 0;
}

/* Of the pair (list, whether it counts) at index 1: pushes that of its first
 * who was not taken, from *place.  Gives whether that is the last. */
static bool push_next(lua_State *L, const Ready *ready, int *place) {
  bool last;
  *place = waiters_next(L, 1, ready->taken + 1);
  last = *place >= (int)compat_rawlen(L, 1);
  lua_pushboolean(L, last && lua_toboolean(L, 2));
  return last;
}

/* The one at index 3, who was pushed from `place`, leaves the list at index 1.
 * The place stays. */
static void take_next(lua_State *L, Ready *ready, int place) {
  lua_pushvalue(L, 3);
  lua_pushnil(L);
  lua_rawset(L, 1);
  lua_pushboolean(L, 0);
  lua_rawseti(L, 1, place);
  ready->taken = place;
}

/* RES: the first of the queue, and its place in hand | nil */
static int f_take(lua_State *L) {
  Ready *ready = get_ready(L);
  bool listed, last = true;
  int place = 0;
  lua_settop(L, 0);
  if (size_of(&ready->now) == 0)
    return 0;
  push_pair(L, &now_key, ready->now.first);
  listed = lua_istable(L, 1);
  if (listed)
    last = push_next(L, ready, &place);
  append(L, &hand_key, &ready->hand);
  if (lua_toboolean(L, -1))
    ready->counted--, ready->counted_in_hand++;
  if (listed)
    take_next(L, ready, place);
  if (last) {
    drop_first(L, &now_key, &ready->now);
    ready->taken = 0;
  }
  lua_pop(L, 1);
  lua_pushinteger(L, ready->hand.last);
  return 2;
}

/* The last in hand leaves it; the pair is pushed. */
static void leave_hand(lua_State *L, Ready *ready) {
  push_pair(L, &hand_key, ready->hand.last);
  clear(L, &hand_key, ready->hand.last--);
  ready->counted_in_hand -= lua_toboolean(L, -1) ? 1 : 0;
}

/* The last in hand goes back into the queue. */
static void put_back(lua_State *L, Ready *ready) {
  push_pair(L, &hand_key, ready->hand.last);
  enqueue(L, ready, &now_key, &ready->now);
  leave_hand(L, ready);
  lua_pop(L, 2);
}

/* ARG: a place in hand: who was taken there was woken.  Those behind it are
**      what an error has left there of a step inside of this one */
static int f_woken(lua_State *L) {
  Ready *ready = get_ready(L);
  int place = (int)luaL_checkinteger(L, 1);
  while (ready->hand.last > place)
    put_back(L, ready);
  if (ready->hand.last == place)
    leave_hand(L, ready);
  return 0;
}

/* No step is under way: what is in hand was left there by an error. */
static int f_again(lua_State *L) {
  Ready *ready = get_ready(L);
  while (ready->hand.last > 0)
    put_back(L, ready);
  return 0;
}

/* RES: how many that count are still to be woken, without those that a step is
**      waking, and whether there is anybody at all */
static int f_waiting(lua_State *L) {
  const Core *core = core_get(L);
  const Ready *ready = get_ready(L);
  bool left = !core->stepping && ready->hand.last > 0;
  unsigned counted = ready->counted;
  counted += core->stepping ? 0 : ready->counted_in_hand;
  lua_pushinteger(L, (lua_Integer)counted);
  lua_pushboolean(L, left || size_of(&ready->now) > 0 ||
                         size_of(&ready->later) > 0);
  return 2;
}

/* ARG: table, key, function, argument
** Calls the function, unless that was done before for this key of the table:
** however an error breaks it off, it is not called twice. */
static int f_once(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 4);
  lua_pushvalue(L, 2);
  lua_rawget(L, 1);
  if (lua_toboolean(L, -1))
    return 0;
  lua_pushvalue(L, 2);
  lua_pushboolean(L, 1);
  lua_rawset(L, 1);
  lua_settop(L, 4);
  lua_call(L, 1, 0);
  return 0;
}

/* The queue of this state, unless it has one: what may raise comes first. */
static void make(lua_State *L) {
  static const char *const keys[] = {&now_key, &later_key, &hand_key};
  Ready *ready;
  if (get_ready(L))
    return;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    lua_newtable(L);
    compat_setregistry(L, keys[i]);
  }
  ready = lua_newuserdata(L, sizeof *ready);
  *ready =
      (Ready){.now = {.first = 1}, .later = {.first = 1}, .hand = {.first = 1}};
  compat_setregistry(L, &ready_key);
}

void ready_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"ready", f_ready},     {"later", f_later},
      {"turn", f_turn},       {"take", f_take},
      {"woken", f_woken},     {"again", f_again},
      {"waiting", f_waiting}, {"once", f_once},
      {"line_up", f_line_up}, {NULL, NULL}};
  make(L);
  compat_setfuncs(L, functions);
}
