/*
 * What run-time failures look like.  Host's thread.
 */
#ifndef GPTIMAGE2_LUA_ERROR_H
#define GPTIMAGE2_LUA_ERROR_H

#include "lua/compat.h"

#include <stdbool.h>
#include <stddef.h>

#define ERROR_TYPE "gptimage2.Error"

/* Pushes an error table: kind, code, message.  Strings are copied. */
void error_push(lua_State *L, const char *kind, const char *code,
                const char *message);
/* Sets a field of the error on top. */
void error_set(lua_State *L, const char *field, const char *value);
void error_set_number(lua_State *L, const char *field, double value);
/* Whether the error on top has this text in a field. */
bool error_says(lua_State *L, const char *field, const char *text);
/* Sets `body`: its first 4 KiB. */
void error_set_body(lua_State *L, const char *body, size_t length);
/* True when there are no control characters in the text; `lines`: tabs and line
 * ends are none. */
bool error_is_printable(const char *text, size_t length, bool lines);
/* Pushes `text` with control characters made visible. */
void error_push_printable(lua_State *L, const char *text, size_t length,
                          bool lines);
/* Sets what the error on top says of itself by its kind and code: `retryable`,
 * unless it has that. */
void error_complete(lua_State *L);
/* Sets `retryable`. */
void error_set_retryable(lua_State *L, bool retryable);
/* Pushes nil and the error that is on top: the run-time failure convention. */
int error_return(lua_State *L);
/* Pushes the error that says so.  Needs no memory; one table for all. */
void error_push_no_memory(lua_State *L);
void error_open(lua_State *L);
/* Gives the module table on top the table of the errors' methods. */
void error_open_methods(lua_State *L);

#endif
