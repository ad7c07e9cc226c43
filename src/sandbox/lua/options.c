/*
 * Reads a table of options, with errors that say what was meant. Allocates
 * nothing but Lua strings; runs on the thread of the Lua state.
 */
#include "options.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lua_compat.h"

enum { NAME_MAX_SIZE = 24, MESSAGE_MAX = 768 };

int options_raise(const Options *options, const char *format, ...) {
  char message[MESSAGE_MAX];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return luaL_error(options->L, "bad argument #1 to '%s' (%s)",
                    options->function, message);
}

static int smaller(int a, int b) {
  return a < b ? a : b;
}

/* How many letters must be added, removed or changed. */
static int distance(const char *a, const char *b) {
  int row[NAME_MAX_SIZE + 1];
  int width = (int)strlen(b);
  if (width > NAME_MAX_SIZE || strlen(a) > NAME_MAX_SIZE)
    return NAME_MAX_SIZE;
  for (int j = 0; j <= width; j++)
    row[j] = j;
  for (int i = 1; a[i - 1] != '\0'; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= width; j++) {
      int same = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = smaller(same, 1 + smaller(row[j], row[j - 1]));
    }
  }
  return row[width];
}

static const char *nearest(const char *name, const char *const *names) {
  const char *best = NULL;
  int least = 3; /* further away is no slip of the finger */
  for (; *names; names++) {
    int away = distance(name, *names);
    if (away < least) {
      least = away;
      best = *names;
    }
  }
  return best;
}

static void join(const char *const *names, char *out, size_t room) {
  size_t used = 0;
  out[0] = '\0';
  for (; *names && used < room; names++) {
    int size =
        snprintf(out + used, room - used, "%s%s", used > 0 ? ", " : "", *names);
    used += size > 0 ? (size_t)size : 0;
  }
}

static void raise_unknown(const Options *options, const char *what,
                          const char *name, const char *const *names) {
  const char *meant = nearest(name, names);
  char list[512];
  if (meant) {
    options_raise(options, "unknown %s '%.64s', did you mean '%s'?", what, name,
                  meant);
  }
  join(names, list, sizeof list);
  options_raise(options, "unknown %s '%.64s', there are: %s", what, name, list);
}

static bool is_one_of(const char *name, const char *const *names) {
  while (*names && strcmp(*names, name) != 0)
    names++;
  return *names;
}

void options_check(const Options *options, const char *const *names) {
  lua_State *L = options->L;
  if (!lua_istable(L, options->index)) {
    options_raise(options, "table expected, got %s",
                  luaL_typename(L, options->index));
  }
  lua_pushnil(L);
  while (lua_next(L, options->index) != 0) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) {
      options_raise(options, "option names are strings, got a %s",
                    luaL_typename(L, -1));
    }
    const char *name = lua_tostring(L, -1);
    if (!is_one_of(name, names))
      raise_unknown(options, "option", name, names);
  }
}

/* Pushes the option's value; false (and nothing pushed) without one. */
static bool push(const Options *options, const char *name, int type,
                 const char *expected) {
  lua_State *L = options->L;
  lua_pushstring(L, name);
  lua_rawget(L, options->index);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  if (lua_type(L, -1) != type) {
    options_raise(options, "option '%s' must be %s, got %s", name, expected,
                  luaL_typename(L, -1));
  }
  return true;
}

const char *options_text(const Options *options, const char *name,
                         size_t *size) {
  if (!push(options, name, LUA_TSTRING, "a string"))
    return NULL;
  const char *text = lua_tolstring(options->L, -1, size);
  lua_pop(options->L, 1); /* the table keeps it */
  return text;
}

bool options_is_line(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c < 0x20 || c == 0x7f)
      return false;
  }
  return true;
}

const char *options_line(const Options *options, const char *name,
                         size_t most) {
  size_t size = 0;
  const char *text = options_text(options, name, &size);
  if (text && (size > most || !options_is_line(text, size))) {
    options_raise(options, "option '%s' must be one line of at most %d bytes",
                  name, (int)most);
  }
  return text;
}

enum { NUMBER_SIZE = 32 };

/* With a point, whatever the host's locale has in its place. */
static const char *number_text(double value, char out[NUMBER_SIZE]) {
  char *end = out;
  snprintf(out, NUMBER_SIZE, "%.15g", value);
  for (const char *from = out; *from != '\0'; from++) {
    bool known = strchr("+-0123456789einfa", *from);
    if (known || end == out || end[-1] != '.')
      *end++ = known ? *from : '.';
  }
  *end = '\0';
  return out;
}

double options_number(const Options *options, const char *name, double least,
                      double most, double otherwise) {
  if (!push(options, name, LUA_TNUMBER, "a number"))
    return otherwise;
  double value = lua_tonumber(options->L, -1);
  lua_pop(options->L, 1);
  if (!(value >= least && value <= most)) {
    char from[NUMBER_SIZE], to[NUMBER_SIZE], got[NUMBER_SIZE];
    options_raise(options, "option '%s' must be from %s to %s, got %s", name,
                  number_text(least, from), number_text(most, to),
                  number_text(value, got));
  }
  return value;
}

double options_integer(const Options *options, const char *name, double least,
                       double most, double otherwise) {
  double value = options_number(options, name, least, most, otherwise);
  if (isfinite(value) && value != floor(value)) {
    char got[NUMBER_SIZE];
    options_raise(options, "option '%s' must be a whole number, got %s", name,
                  number_text(value, got));
  }
  return value;
}

bool options_boolean(const Options *options, const char *name, bool otherwise) {
  if (!push(options, name, LUA_TBOOLEAN, "a boolean"))
    return otherwise;
  bool value = lua_toboolean(options->L, -1) != 0;
  lua_pop(options->L, 1);
  return value;
}

int options_choice(const Options *options, const char *name,
                   const char *const *choices) {
  const char *text = options_text(options, name, NULL);
  if (!text)
    return -1;
  int choice = 0;
  while (choices[choice] && strcmp(choices[choice], text) != 0)
    choice++;
  if (!choices[choice])
    raise_unknown(options, name, text, choices);
  return choice;
}
