/*
 * The sandbox's books as Lua tables. Copies what changes into userdata first,
 * under the lock, and makes tables (which may raise) afterwards, without it.
 */
#include "books.h"

#include "lua_compat.h"

/* Stack: the table on top. */
static void set_integer(lua_State *L, const char *name, int64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static void set_boolean(lua_State *L, const char *name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

/* Empty texts are left out: the request had no such header. */
static void set_text(lua_State *L, const char *name, const char *text) {
  if (text[0] != '\0') {
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
  }
}

static void push_job(lua_State *L, const JobView *view) {
  const Job *job = view->job;
  lua_createtable(L, 0, 12);
  set_text(L, "id", job->id);
  set_text(L, "status", service_status_name(view->status));
  set_text(L, "error", view->status == JOB_FAILED ? job->error : "");
  if (job->key)
    set_text(L, "key", job->key->name);
  set_integer(L, "count", job->count);
  set_integer(L, "credits", job->credits);
  set_integer(L, "posts", (int64_t)view->posts);
  set_integer(L, "polls", (int64_t)view->polls);
  set_boolean(L, "refunded", view->refunded);
  lua_pushnumber(L, job->duration);
  lua_setfield(L, -2, "duration");
  lua_pushlstring(L, job->final_prompt, job->prompt_size);
  lua_setfield(L, -2, "prompt");
  lua_pushlstring(L, job->body, job->body_size);
  lua_setfield(L, -2, "body");
}

static void push_jobs(lua_State *L, Server *server, size_t most) {
  JobView *views = lua_newuserdata(L, most * sizeof *views + 1);
  size_t count = server_jobs(server, views, most);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    push_job(L, &views[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_remove(L, -2);
}

static void push_entry(lua_State *L, const JournalEntry *entry) {
  lua_createtable(L, 0, 8);
  lua_pushnumber(L, entry->time);
  lua_setfield(L, -2, "time");
  set_text(L, "method", entry->method);
  set_text(L, "path", entry->path);
  set_integer(L, "status", entry->status);
  set_boolean(L, "authorization", entry->authorization);
  set_text(L, "key", entry->key);
  set_text(L, "user_agent", entry->user_agent);
  set_text(L, "range", entry->range);
}

static void push_log(lua_State *L, Server *server, size_t most) {
  JournalEntry *entries = lua_newuserdata(L, most * sizeof *entries + 1);
  size_t count = server_entries(server, entries, most);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    push_entry(L, &entries[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_remove(L, -2);
}

static void push_requests(lua_State *L, const Totals *totals) {
  static const char *const NAMES[] = {"create", "poll", "image", "reference",
                                      "other"};
  lua_createtable(L, 0, ON_ANY);
  for (int on = 0; on < ON_ANY; on++)
    set_integer(L, NAMES[on], (int64_t)totals->requests[on]);
}

void books_push(lua_State *L, Server *server) {
  Totals totals = server_totals(server);
  lua_createtable(L, 0, 9);
  set_integer(L, "credits", totals.credits);
  set_integer(L, "charged", totals.charged);
  set_integer(L, "refunded", totals.refunded);
  set_integer(L, "connections", (int64_t)totals.connections);
  set_integer(L, "open_connections", (int64_t)totals.open);
  set_integer(L, "most_connections", (int64_t)totals.most);
  push_requests(L, &totals);
  lua_setfield(L, -2, "requests");
  push_jobs(L, server, totals.jobs);
  lua_setfield(L, -2, "jobs");
  push_log(L, server, totals.entries);
  lua_setfield(L, -2, "log");
}
