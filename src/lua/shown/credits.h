/*
 * The credits of a client's jobs.  Host's thread.
 *
 * They are reserved by key: whoever learns what became of the job that has it
 * can give them back, once.
 */
#ifndef GPTIMAGE2_LUA_CREDITS_H
#define GPTIMAGE2_LUA_CREDITS_H

#include "lua/compat.h"

#include <stdbool.h>

/* Counts the job's cost in client.spent; that of one that is sent `again` may
 * be counted already. */
void job_reserve(lua_State *L, int index, bool again);
bool job_has_reserved(lua_State *L, int index);
/* They were not spent after all. */
void job_refund(lua_State *L, int index);
/* A create before the last one may have been charged, for another job than that
 * makes: whatever becomes of this one, what is reserved for both stays. */
void job_keep(lua_State *L, int index);
/* The job has its id.  Is it the one that an earlier create was given, the
 * service honours keys, and what was reserved for this one comes back. */
void job_named(lua_State *L, int index);
/* They are gone, whatever was said before. */
void job_spend(lua_State *L, int index);

#endif
