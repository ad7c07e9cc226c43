/*
 * News of waiting jobs: the status and the balance that a 202 tells.
 *
 * Most of these replies are overtaken by the final answer before anybody asks.
 * So they are kept as they came, as the job's raw reply, and read by the first
 * who does.  Each reply has a number from its client: of two balances the one
 * with the later number counts, in whatever order they are read.  Host's
 * thread.
 */
#ifndef GPTIMAGE2_LUA_NEWS_H
#define GPTIMAGE2_LUA_NEWS_H

#include "core.h"

/* The raw reply of the job at `at` has news that nobody has read. */
void news_keep(lua_State *L, int at);

/* Reads what is unread, if anything; true when it changed the job's status. */
bool news_read(lua_State *L, int at);

/* Reads what may hold a newer balance of the client at `index`. */
void news_read_all(lua_State *L, int index);

/* True when the reply surely tells both status and balance, so that what was
 * unread before may be forgotten. */
bool news_covers(const char *bytes, size_t length);

/* True when the reply says all that an earlier one may have said. */
bool news_overtaken(const Decoded *reply);

/* Takes over the balance of a reply that has just come: whatever was unread is
 * old now. */
void news_take_balance(lua_State *L, int at, const Decoded *reply);

/* Takes over a status that is not final; true when it is news. */
bool news_take_status(LuaJob *job, DecodedStatus status);

#endif
