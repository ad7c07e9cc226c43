/*
 * The Core of a Lua state, which all of src/lua knows.  Everything in there is
 * run by the host's thread, called by Lua; nothing in there knows libcurl.
 *
 * One Core for each Lua state, anchored in the registry, owns the engine.
 * Objects (jobs, transfers) that the engine still works on are anchored in the
 * registry too (handles.h), so that nothing is lost where the host drops them.
 * No lua_State is ever stored.
 */
#ifndef GPTIMAGE2_LUA_CORE_H
#define GPTIMAGE2_LUA_CORE_H

#include "compat.h"
#include "engine/engine.h"
#include "handles.h"

#include <stdbool.h>

/* Why a job is cancelled: static texts. */
typedef struct Reason {
  const char *kind; /* NULL = there is none */
  const char *code;
  const char *message;
} Reason;

typedef struct Core {
  Handles handles;
  Engine *engine;   /* NULL once the Lua state is closing */
  unsigned pending; /* jobs and transfers the engine works on */
  Event *current;   /* the event being handled: see step.c */
  bool taken;       /* its object is up to date */
  bool handling;    /* it is being taken in: nothing else may be meanwhile */
  unsigned tries;   /* how often that was begun */
  Reason later;     /* its job is to be cancelled once it is taken in */
  int first, last;  /* of the list of finished objects */
  const void *stepping; /* the innermost coroutine inside of step: never used,
                           only compared; NULL = none */
} Core;

/* Makes the Core of this state, unless it has one. */
void core_open(lua_State *L);
Core *core_get(lua_State *L);

/* True when the engine is there, and its thread: not once the state is closing,
 * nor in a process that was forked. */
bool core_has_engine(const Core *core);
/* True when the engine can be used; else pushes nil and an error (2 values). */
bool core_usable(lua_State *L, Core *core);

/* Pushes nil and the error for a wait inside of something that runs while an
 * event is taken in (2 values). */
int core_cannot_wait(lua_State *L);

/* Appends the object at `index` to the list the Lua side works off after each
 * step: somebody waits for it.  What may raise comes first. */
void core_finished(lua_State *L, int index);
/* What the Lua side has of that list. */
void core_open_finished(lua_State *L);
/* Pushes the table that outlives a second loading of the Lua side. */
void core_push_kept(lua_State *L);
/* For the __index of our objects, whose methods are its upvalue: pushes the one
 * named at index 2; false, pushing nothing, when there is none. */
bool core_push_method(lua_State *L);
/* Gives the metatable on top a __newindex that raises, naming the `type`. */
void core_make_read_only(lua_State *L, const char *type);
/* Lets go of the event being handled, which an error may have left behind. */
void core_settle(Core *core);

#endif
