/*
 * Signals that a program wants to hear of, counted: core.signals.  For the
 * program gptimage2 alone: a library leaves its host's signals as they are.
 */
#ifndef GPTIMAGE2_LUA_SIGNALS_H
#define GPTIMAGE2_LUA_SIGNALS_H

#include "lua/compat.h"

#include <sys/types.h>

/* The process group that is ended with the program; 0: none.  Host's thread. */
void signals_set_group(pid_t group);

/* Gives the module table on top its `signals`. */
void signals_open(lua_State *L);

#endif
