/*
 * A host program whose memory runs out: runs the scenario once for each fault,
 * each in a process of its own, then a recovery with all the memory it wants.
 *
 *   host POOL MODE START URL FOLDER NAME N[,N...] PARTS
 *
 * POOL lua, engine, curl, bare (libcurl without hooks of its own) or sqlite;
 * MODE once, ever, collect or never; START load (the faults begin before the
 * module is loaded) or work; PARTS the folder of the scenarios, which call
 * `host.*`, see functions[].  For each N two lines of words, tab-separated: see
 * tell().
 */
#include "pool.h"

#include <curl/curl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOTES_MAX 4000
#define RECOVERY_SECONDS 60u

/* What a child tells, even one that dies: shared memory. */
typedef struct Report {
  bool fired;
  bool ended; /* it came to its end by itself */
  long calls[POOLS];
  long held[POOLS];
  char stage[40];
  size_t length;
  char notes[NOTES_MAX]; /* words, each with a tab before it */
} Report;

static Report *report;
static char *arguments[4]; /* url, folder, name, start */
static const char *parts;  /* the folder of the scenarios */

/* Without memory of its own; control characters end no field. */
static void note(const char *tag, const char *text) {
  size_t left = NOTES_MAX - report->length;
  int length =
      snprintf(report->notes + report->length, left, "\t%s=%.200s", tag, text);
  char *at = report->notes + report->length + 1;
  if (length < 0 || (size_t)length >= left) {
    report->notes[report->length] = '\0';
    return;
  }
  for (; *at; at++)
    if ((unsigned char)*at < ' ')
      *at = ' ';
  report->length += (size_t)length;
}

/* ---- what scenarios call ---- */

/* host.stage(name): where it is, should it die there */
static int f_stage(lua_State *L) {
  snprintf(report->stage, sizeof report->stage, "%s", lua_tostring(L, 1));
  return 0;
}

/* host.note(tag, text) */
static int f_note(lua_State *L) {
  const char *text = lua_tostring(L, 2);
  note(lua_tostring(L, 1), text ? text : luaL_typename(L, 2));
  return 0;
}

/* host.arm(): the faults begin to count */
static int f_arm(lua_State *L) {
  (void)L;
  pool_arm(true);
  return 0;
}

static const luaL_Reg functions[] = {
    {"stage", f_stage}, {"note", f_note}, {"arm", f_arm}, {NULL, NULL}};

static void on_warning(void *user, const char *text, int more) {
  (void)user, (void)more;
  note("warning", text);
}

/* Runs the file with (host, url, folder, name, start, the folder of all such
 * files); notes what it raises. */
static void run(lua_State *L, const char *file) {
  char path[300];
  snprintf(path, sizeof path, "%s/%s", parts, file);
  luaL_openlibs(L);
  lua_setwarnf(L, on_warning, NULL);
  if (luaL_loadfile(L, path) == LUA_OK) {
    luaL_newlib(L, functions);
    for (int i = 0; i < 4; i++)
      lua_pushstring(L, arguments[i]);
    lua_pushstring(L, parts);
    if (lua_pcall(L, 6, 0, 0) == LUA_OK)
      return;
  }
  note("raised", lua_tostring(L, -1) ? lua_tostring(L, -1) : "?");
}

/* ---- one run ---- */

/* Valgrind and its like need more. */
static unsigned seconds_allowed(void) {
  const char *given = getenv("ALLOC_SECONDS");
  return given ? (unsigned)atoi(given) : 20u;
}

static void run_scenario(void) {
  lua_State *L = lua_newstate(pool_lua, NULL);
  long held_before[POOLS];
  for (int i = 0; i < POOLS; i++)
    held_before[i] = i == POOL_LUA ? 0 : pool_held((PoolName)i);
  alarm(seconds_allowed());
  run(L, "scenario.lua");
  snprintf(report->stage, sizeof report->stage, "lua_close");
  lua_close(L);
  pool_arm(false);
  report->fired = pool_fired();
  snprintf(report->stage, sizeof report->stage, "exit");
  sqlite3_shutdown();
  for (int i = 0; i < POOLS; i++) {
    report->calls[i] = pool_calls((PoolName)i);
    report->held[i] = pool_held((PoolName)i) - held_before[i];
  }
  report->ended = true;
}

static void run_recovery(void) {
  lua_State *L = luaL_newstate();
  alarm(RECOVERY_SECONDS);
  run(L, "recovery.lua");
  lua_close(L);
  report->ended = true;
}

/* Runs it in a child; how that ended. */
static int in_child(void (*what)(void)) {
  int status = 0;
  pid_t child;
  memset(report, 0, sizeof *report);
  fflush(stdout);
  child = fork();
  if (child == 0) {
    what();
    exit(0);
  }
  while (child < 0 || waitpid(child, &status, 0) != child)
    if (child < 0)
      return -1;
  return status;
}

/* run|back N ended|died fired|idle stage signal, calls and blocks held of each
 * pool, notes */
static void tell(const char *what, long n, int status) {
  printf("%s\t%ld\t%s\t%s\t%s\t%d", what, n,
         report->ended && status == 0 ? "ended" : "died",
         report->fired ? "fired" : "idle", report->stage,
         WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  for (int i = 0; i < POOLS; i++)
    printf("\t%ld\t%ld", report->calls[i], report->held[i]);
  printf("%s\n", report->notes);
  fflush(stdout);
}

/* Makes its own copy of NAME-N, so that the books can tell the runs apart. */
static void run_both(const char *name, long n, PoolName pool, PoolMode mode) {
  char full[100];
  snprintf(full, sizeof full, "%s-%ld", name, n);
  arguments[2] = full;
  pool_choose(pool, mode, n);
  tell("run", n, in_child(run_scenario));
  tell("back", n, in_child(run_recovery));
}

/* The modules whose use of malloc is told apart, found as require would. */
static bool claim(PoolName name, const char *module) {
  lua_State *L = luaL_newstate();
  bool found;
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchpath");
  lua_pushstring(L, module);
  lua_getfield(L, -3, "cpath");
  lua_call(L, 2, 1);
  found = lua_tostring(L, -1) && pool_claim(name, lua_tostring(L, -1));
  lua_close(L);
  return found;
}

static int find(const char *word, const char *const *words) {
  for (int i = 0; words[i]; i++)
    if (strcmp(word, words[i]) == 0)
      return i;
  fprintf(stderr, "host: what is '%s'?\n", word);
  exit(2);
}

int main(int count, char **words) {
  static const char *const names[] = {"lua",    "engine", "curl",
                                      "sqlite", "bare",   NULL};
  static const char *const modes[] = {"once", "ever", "collect", "never", NULL};
  int pool;
  PoolMode mode;
  if (count != 9) {
    fprintf(stderr, "host POOL MODE START URL FOLDER NAME N[,N...] PARTS\n");
    return 2;
  }
  pool = find(words[1], names);
  mode = (PoolMode)find(words[2], modes);
  arguments[0] = words[4];
  arguments[1] = words[5];
  arguments[3] = words[3];
  parts = words[8];
  pool_install(pool == 4);
  if (!claim(POOL_ENGINE, "gptimage2.core") || !claim(POOL_CJSON, "cjson")) {
    fprintf(stderr, "host: the modules are not on package.cpath\n");
    return 2;
  }
  report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (report == MAP_FAILED)
    return 2;
  for (char *at = words[7]; *at; at += *at == ',')
    run_both(words[6], strtol(at, &at, 10),
             pool == 4 ? POOL_CURL : (PoolName)pool, mode);
  return 0;
}
