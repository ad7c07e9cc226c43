/*
 * Faults as Lua tables. Allocates nothing but Lua values; runs on the thread
 * of the Lua state.
 */
#include "rules.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "options.h"
#include "sandbox/faults/fault_kind.h"
#include "sandbox/faults/gzip_bomb.h"
#include "sandbox/service/service.h"

enum {
  BODY_MAX = 16 * 1024 * 1024,
  LOCATION_MAX = 8192,
  LINE_MAX_SIZE = 1024,
  NESTING_MAX = 1000000,
  NESTING_DEFAULT = 100000,
  ADD_DEFAULT = 10
};
static const double WHOLE_MAX = 9007199254740992.0;
static const double BYTES_MAX = 1e12;

static const char *const NAMES[] = {
    "on",      "action",   "times", "after", "work",    "body",    "status",
    "headers", "location", "error", "bytes", "chunked", "seconds", "head",
    "reset",   "last",     "count", "add",   "to",      "shape",   "type",
    "value",   "name",     "id",    NULL};

/* Stack: the table of headers on top; leaves it there. */
static void read_headers(const Options *from, Fault *rule) {
  lua_State *L = from->L;
  int table = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, table) != 0) {
    size_t name_size = 0, value_size = 0;
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
      options_raise(from, "option 'headers' maps strings to strings");
    const char *name = lua_tolstring(L, -2, &name_size);
    const char *value = lua_tolstring(L, -1, &value_size);
    if (name_size == 0 || !options_is_line(name, name_size) ||
        !options_is_line(value, value_size))
      options_raise(from, "option 'headers' must hold one line each");
    if (rule->header_count == FAULT_MAX_HEADERS) {
      options_raise(from, "option 'headers' holds at most %d",
                    FAULT_MAX_HEADERS);
    }
    rule->headers[rule->header_count++] = (FaultHeader){name, value};
    lua_pop(L, 1);
  }
}

/* ---- what goes together ---- */

static bool is_given(const Options *from, const char *name) {
  lua_getfield(from->L, from->index, name);
  bool given = !lua_isnil(from->L, -1);
  lua_pop(from->L, 1);
  return given;
}

static void check_options(const Options *from, const Fault *rule) {
  const FaultKind *kind = &fault_kinds[rule->action];
  for (size_t i = 0; NAMES[i]; i++) {
    if (is_given(from, NAMES[i]) && !fault_kind_has(rule->action, NAMES[i])) {
      options_raise(from, "action '%s' has no option '%s'", kind->name,
                    NAMES[i]);
    }
  }
  for (size_t i = 0; kind->options[i]; i++) {
    char name[32];
    size_t size = strcspn(kind->options[i], "!");
    memcpy(name, kind->options[i], size);
    name[size] = '\0';
    if (kind->options[i][size] == '!' && !is_given(from, name))
      options_raise(from, "action '%s' needs option '%s'", kind->name, name);
  }
}

/* The only phase of the action, or -1. */
static int only_phase(const FaultKind *kind) {
  for (int on = 0; on <= ON_JOB; on++)
    if (kind->phases == 1u << on)
      return on;
  return -1;
}

static void read_phase(const Options *from, Fault *rule) {
  const FaultKind *kind = &fault_kinds[rule->action];
  int on = options_choice(from, "on", fault_phases);
  on = on < 0 ? only_phase(kind) : on;
  if (on < 0) {
    options_raise(from, "option 'on' is missing");
    return;
  }
  if (on == ON_JOB && rule->action != FAULT_FAIL)
    options_raise(from, "on = 'job' goes with action 'fail', and only so");
  if ((kind->phases >> on & 1u) == 0) {
    options_raise(from, "action '%s' cannot happen on '%s'", kind->name,
                  fault_phases[on]);
  }
  rule->on = (FaultOn)on;
}

/* ---- amounts ---- */

static uint64_t read_count(const Options *from, const char *name, double least,
                           double otherwise) {
  double value = options_integer(from, name, least, HUGE_VAL, otherwise);
  return value > WHOLE_MAX ? FAULT_ALWAYS : (uint64_t)value;
}

static void read_bytes(const Options *from, Fault *rule) {
  double least = 0, most = BYTES_MAX;
  switch (rule->action) {
  case FAULT_GZIP:
    least = GZIP_BOMB_MIN;
    most = (double)GZIP_BOMB_MAX;
    break;
  case FAULT_ENDLESS_HEADERS:
  case FAULT_ENDLESS_CHUNKS:
    most = HUGE_VAL;
    break;
  case FAULT_DRIP:
    least = 1;
    break;
  default:
    break;
  }
  double bytes = options_integer(from, "bytes", least, most, -1);
  bool given = bytes >= 0 && bytes <= BYTES_MAX;
  rule->bytes = given ? (size_t)bytes : FAULT_NO_BYTES;
}

static unsigned default_status(FaultAction action) {
  switch (action) {
  case FAULT_REDIRECT:
    return 302;
  case FAULT_HTML:
    return 502;
  case FAULT_CONFLICT:
    return 409;
  case FAULT_INFORMATIONAL:
    return 103;
  default:
    return 0;
  }
}

static void read_status(const Options *from, Fault *rule) {
  bool informational = rule->action == FAULT_INFORMATIONAL;
  unsigned status = (unsigned)options_integer(
      from, "status", informational ? 100 : 200, informational ? 199 : 599,
      default_status(rule->action));
  if (informational && status != 100 && status != 102 && status != 103) {
    options_raise(from, "option 'status' must be 100, 102 or 103, got %u",
                  status);
  }
  if (rule->action == FAULT_CONFLICT && status != 409 && status != 422)
    options_raise(from, "option 'status' must be 409 or 422, got %u", status);
  rule->status = status;
}

static void read_amounts(const Options *from, Fault *rule) {
  bool nesting = rule->action == FAULT_NESTING;
  rule->times = read_count(from, "times", 1, 1);
  rule->after = read_count(from, "after", 0, 0);
  rule->count = read_count(from, "count", 1, nesting ? NESTING_DEFAULT : 0);
  if (nesting && rule->count > NESTING_MAX)
    options_raise(from, "option 'count' must be at most %d", NESTING_MAX);
  rule->seconds = options_number(from, "seconds", 0, 1e6, -1);
  rule->add =
      (int64_t)options_integer(from, "add", -BYTES_MAX, BYTES_MAX, ADD_DEFAULT);
  read_bytes(from, rule);
  read_status(from, rule);
}

/* ---- texts and choices ---- */

static void read_choices(const Options *from, Fault *rule) {
  static const char *const TO[] = {"self", "chain", "host",
                                   "http", "https", NULL};
  static const char *const SHAPES[] = {
      "null", "absent", "empty", "without_urls", "null_urls", "object", NULL};
  int to = options_choice(from, "to", TO);
  int shape = options_choice(from, "shape", SHAPES);
  rule->to = to < 0 ? TO_SELF : (FaultTo)to;
  rule->shape = shape < 0 ? SHAPE_NULL : (FaultShape)shape;
  /* Refusing means that nothing was done; all else happens on the way back. */
  bool refuses = fault_kinds[rule->action].refuses;
  rule->work = options_boolean(from, "work", !refuses);
  rule->chunked = options_boolean(from, "chunked", false);
  rule->head = options_boolean(from, "head", false);
  rule->reset = options_boolean(from, "reset", false);
  rule->last = options_boolean(from, "last", false);
  if (rule->action == FAULT_REDIRECT && to < 0 && !rule->location)
    options_raise(from, "action 'redirect' needs option 'location' or 'to'");
}

static const char *default_error(const Fault *rule) {
  if (rule->action == FAULT_CONFLICT) {
    return rule->status == 409 ? "idempotency_key_in_use"
                               : "idempotency_key_reused";
  }
  return "generation_failed";
}

/* The one text that the action has under a name of its own. */
static const char *read_line(const Options *from, FaultAction action) {
  const char *name = NULL, *otherwise = NULL;
  switch (action) {
  case FAULT_TYPE:
    name = "type";
    otherwise = "text/html";
    break;
  case FAULT_LENGTH:
    name = "value";
    break;
  case FAULT_UNKNOWN_STATUS:
    name = "name";
    otherwise = "dreaming";
    break;
  case FAULT_OTHER_JOB:
    name = "id";
    otherwise = "00000000-0000-4000-8000-000000000000";
    break;
  default:
    return NULL;
  }
  const char *line = options_line(from, name, LINE_MAX_SIZE);
  return line ? line : otherwise;
}

static void read_texts(const Options *from, Fault *rule) {
  rule->body = options_text(from, "body", &rule->body_size);
  if (rule->body_size > BODY_MAX)
    options_raise(from, "option 'body' holds at most %d bytes", BODY_MAX);
  rule->location = options_line(from, "location", LOCATION_MAX);
  rule->error = options_line(from, "error", SERVICE_MAX_ERROR - 1);
  if (!rule->error)
    rule->error = default_error(rule);
  rule->line = read_line(from, rule->action);
}

void rules_read(lua_State *L, bool tls, Fault *rule) {
  const char *actions[FAULT_ACTIONS + 1] = {NULL};
  Options from = {L, 2, "fault"};
  for (size_t i = 0; i < FAULT_ACTIONS; i++)
    actions[i] = fault_kinds[i].name;
  options_check(&from, NAMES);
  int action = options_choice(&from, "action", actions);
  if (action < 0)
    options_raise(&from, "option 'action' is missing");
  rule->action = (FaultAction)action;
  read_phase(&from, rule);
  check_options(&from, rule);
  if (tls && fault_kinds[action].raw_writers) {
    options_raise(&from,
                  "action '%s' needs a sandbox without tls: it writes "
                  "to the socket itself",
                  actions[action]);
  }
  read_amounts(&from, rule);
  read_texts(&from, rule);
  read_choices(&from, rule);
  lua_getfield(L, 2, "headers");
  if (lua_istable(L, -1)) {
    read_headers(&from, rule);
  } else if (!lua_isnil(L, -1)) {
    options_raise(&from, "option 'headers' must be a table, got %s",
                  lua_typename(L, lua_type(L, -1)));
  }
}

/* ---- the list of all ---- */

/* Stack: the list on top; `*count` is how long it is. */
static void append_text(lua_State *L, int *count, const char *text,
                        size_t size) {
  lua_pushlstring(L, text, size);
  lua_rawseti(L, -2, ++*count);
}

static void push_phases(lua_State *L, const FaultKind *kind) {
  int count = 0;
  lua_newtable(L);
  for (int on = 0; on <= ON_JOB; on++)
    if ((kind->phases >> on & 1u) != 0)
      append_text(L, &count, fault_phases[on], strlen(fault_phases[on]));
}

/* All of its own options, or only those it needs. */
static void push_options(lua_State *L, const FaultKind *kind, bool needed) {
  int count = 0;
  lua_newtable(L);
  for (size_t i = 0; kind->options[i]; i++) {
    size_t size = strcspn(kind->options[i], "!");
    if (!needed || kind->options[i][size] == '!')
      append_text(L, &count, kind->options[i], size);
  }
}

static void push_kind(lua_State *L, const FaultKind *kind) {
  lua_newtable(L);
  lua_pushstring(L, kind->name);
  lua_setfield(L, -2, "action");
  push_phases(L, kind);
  lua_setfield(L, -2, "phases");
  push_options(L, kind, false);
  lua_setfield(L, -2, "options");
  push_options(L, kind, true);
  lua_setfield(L, -2, "required");
  lua_pushboolean(L, !kind->refuses);
  lua_setfield(L, -2, "work");
  lua_pushboolean(L, !kind->raw_writers);
  lua_setfield(L, -2, "tls");
  lua_pushstring(L, kind->about);
  lua_setfield(L, -2, "about");
}

void rules_push_kinds(lua_State *L) {
  lua_newtable(L);
  for (int i = 0; i < FAULT_ACTIONS; i++) {
    push_kind(L, &fault_kinds[i]);
    lua_rawseti(L, -2, i + 1);
  }
}
