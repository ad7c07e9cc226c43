/*
 * Reads a table of options that a Lua function got as an argument. Every call
 * raises a Lua error on a wrong name or type, so nothing may be allocated
 * before the last one; texts stay the table's. Runs on the thread of the Lua
 * state.
 */
#ifndef GPTIMAGE2_SANDBOX_OPTIONS_H
#define GPTIMAGE2_SANDBOX_OPTIONS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* A table at absolute stack `index`, for messages about `function`. */
typedef struct Options {
  lua_State *L;
  int index;
  const char *function;
} Options;

/* Raises unless the index holds a table with no names but these (the list
 * ends with NULL). */
void options_check(const Options *options, const char *const *names);

/* Raises "bad argument #1 to 'function' (message)". */
int options_raise(const Options *options, const char *format, ...);

/* The option's text, or NULL without one. */
const char *options_text(const Options *options, const char *name,
                         size_t *size);

/* The same, for texts that must be printable, without NULs or line breaks. */
const char *options_line(const Options *options, const char *name, size_t most);

/* A number from `least` to `most`; `otherwise` without one. */
double options_number(const Options *options, const char *name, double least,
                      double most, double otherwise);

/* The same, a whole number. */
double options_integer(const Options *options, const char *name, double least,
                       double most, double otherwise);

bool options_boolean(const Options *options, const char *name, bool otherwise);

/* Which of `choices` (NULL at the end) the option is; -1 without one. */
int options_choice(const Options *options, const char *name,
                   const char *const *choices);

/* Whether the text is one line without control characters. */
bool options_is_line(const char *text, size_t size);

#endif
