/*
 * How a job's failure is told.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_VERDICT_H
#define GPTIMAGE2_LUA_VERDICT_H

#include "lua/core.h"
#include "lua/objects/job.h"

/* Pushes the error for a job whose work ended by itself. */
void verdict_push_error(lua_State *L, int index, LuaJob *job,
                        const Event *event);
/* The error on top tells of a job that was not sent, or was refused; which the
 * ledger could not be told: it says so. */
void verdict_add_unrecorded(lua_State *L, const Event *event);
/* core.refusal(status) -> kind, code: of an answer with that error status */
int verdict_refusal(lua_State *L);
/* Pushes the error for a create whose answer never came, or not all of it. */
void verdict_push_lost(lua_State *L, int index, LuaJob *job,
                       const Event *event);
/* Pushes the error for an answer the documentation does not allow. */
void verdict_push_protocol(lua_State *L, int index, LuaJob *job,
                           const Event *event, const char *code,
                           const char *what);

#endif
