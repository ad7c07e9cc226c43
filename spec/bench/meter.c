/*
 * meter: what plain Lua cannot measure or do for the bench: clocks, the CPU
 * time of a thread, one timed call, a frame's sleep, child processes with
 * pipes.
 *
 * A Process owns its child and two pipes until `finish`; a child ends by itself
 * when its stdin closes, so none outlives the bench.  Host's thread only.
 */
#include <lauxlib.h>
#include <lua.h>

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESS_TYPE "bench.Process"
#define ARGUMENTS_MAX 32

int luaopen_meter(lua_State *L);

extern char **environ;

typedef struct Process {
  pid_t pid;    /* 0 = none (any more) */
  FILE *input;  /* the child's stdin */
  FILE *output; /* the child's stdout */
  double began; /* monotonic seconds */
} Process;

/* ---- clocks ---- */

static lua_Integer nanoseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (lua_Integer)now.tv_sec * 1000000000 + (lua_Integer)now.tv_nsec;
}

static double seconds(struct timeval time) {
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double cpu_of(const struct rusage *usage) {
  return seconds(usage->ru_utime) + seconds(usage->ru_stime);
}

/* RES: monotonic nanoseconds */
static int f_now(lua_State *L) {
  lua_pushinteger(L, nanoseconds(CLOCK_MONOTONIC));
  return 1;
}

/* RES: seconds of CPU this process has used, user and system */
static int f_cpu(lua_State *L) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  lua_pushnumber(L, cpu_of(&usage));
  return 1;
}

/* Times that this thread left its core: it waited or had to make room. */
static lua_Integer departures(void) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return (lua_Integer)(usage.ru_nivcsw + usage.ru_nvcsw);
}

/* ARG: function
** RES: wall ns, thread CPU ns, how often the thread left its core */
static int f_timed(lua_State *L) {
  lua_Integer left, cpu, wall;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  left = departures();
  cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
  wall = nanoseconds(CLOCK_MONOTONIC);
  lua_call(L, 0, 0);
  wall = nanoseconds(CLOCK_MONOTONIC) - wall;
  cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
  lua_pushinteger(L, wall);
  lua_pushinteger(L, cpu);
  lua_pushinteger(L, departures() - left);
  return 3;
}

/* ARG: monotonic nanoseconds
** RES: nanoseconds that it woke up too late */
static int f_sleep_until(lua_State *L) {
  lua_Integer at = luaL_checkinteger(L, 1);
  struct timespec until = {.tv_sec = (time_t)(at / 1000000000),
                           .tv_nsec = (long)(at % 1000000000)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
    continue;
  lua_pushinteger(L, nanoseconds(CLOCK_MONOTONIC) - at);
  return 1;
}

/* ---- processes ---- */

static Process *check_process(lua_State *L) {
  return luaL_checkudata(L, 1, PROCESS_TYPE);
}

static void close_file(FILE **file) {
  if (*file)
    fclose(*file);
  *file = NULL;
}

static void close_pipe(const int ends[2]) {
  close(ends[0]);
  close(ends[1]);
}

/* Starts the program with `in` and `out` as its stdin and stdout; an errno. */
static int spawn(Process *process, char **arguments, int in, int out) {
  posix_spawn_file_actions_t actions;
  int error = posix_spawn_file_actions_init(&actions);
  if (error != 0)
    return error;
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  process->began = (double)nanoseconds(CLOCK_MONOTONIC) / 1e9;
  error = posix_spawnp(&process->pid, arguments[0], &actions, NULL, arguments,
                       environ);
  if (error != 0)
    process->pid = 0;
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

static int start(Process *process, char **arguments) {
  int to[2], from[2];
  int error;
  if (pipe2(to, O_CLOEXEC) != 0)
    return errno;
  if (pipe2(from, O_CLOEXEC) != 0) {
    error = errno;
    close_pipe(to);
    return error;
  }
  error = spawn(process, arguments, to[0], from[1]);
  close(to[0]);
  close(from[1]);
  process->input = fdopen(to[1], "w");
  process->output = fdopen(from[0], "r");
  return error;
}

/* ARG: program, argument, …
** RES: process */
static int f_start(lua_State *L) {
  char *arguments[ARGUMENTS_MAX + 1] = {NULL};
  int count = lua_gettop(L);
  Process *process;
  int error;
  luaL_argcheck(L, count >= 1 && count <= ARGUMENTS_MAX, 1, "1 to 32 texts");
  for (int i = 1; i <= count; i++)
    arguments[i - 1] = (char *)(size_t)luaL_checkstring(L, i);
  process = lua_newuserdata(L, sizeof *process);
  *process = (Process){0};
  luaL_getmetatable(L, PROCESS_TYPE);
  lua_setmetatable(L, -2);
  error = start(process, arguments);
  if (error != 0)
    return luaL_error(L, "%s: error %d", arguments[0], error);
  return 1;
}

/* RES: the next line of the child's stdout, or nil at its end */
static int m_line(lua_State *L) {
  Process *process = check_process(L);
  char line[4096];
  size_t length = 0;
  int c = EOF;
  while (process->output && length < sizeof line &&
         (c = getc(process->output)) != EOF && c != '\n')
    line[length++] = (char)c;
  if (c == EOF && length == 0)
    return 0;
  lua_pushlstring(L, line, length);
  return 1;
}

/* Closes the child's stdin, which asks it to end: its last lines follow. */
static int m_ask_to_end(lua_State *L) {
  close_file(&check_process(L)->input);
  return 0;
}

/* Nobody reads what the child writes any more: some end when they see that. */
static int m_stop_reading(lua_State *L) {
  close_file(&check_process(L)->output);
  return 0;
}

/* Closes the child's stdin and waits for its end.
** RES: exit status (or -signal), wall seconds, CPU seconds */
static int m_finish(lua_State *L) {
  Process *process = check_process(L);
  struct rusage usage = {0};
  int status = 0;
  pid_t ended;
  close_file(&process->input);
  if (process->pid == 0)
    return 0;
  do
    ended = wait4(process->pid, &status, 0, &usage);
  while (ended < 0 && errno == EINTR);
  process->pid = 0;
  close_file(&process->output);
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status)
                                       : -(lua_Integer)WTERMSIG(status));
  lua_pushnumber(L,
                 (double)nanoseconds(CLOCK_MONOTONIC) / 1e9 - process->began);
  lua_pushnumber(L, cpu_of(&usage));
  return 3;
}

static int m__gc(lua_State *L) {
  lua_settop(L, 1);
  m_finish(L);
  close_file(&check_process(L)->output);
  return 0;
}

int luaopen_meter(lua_State *L) {
  static const luaL_Reg methods[] = {{"line", m_line},
                                     {"ask_to_end", m_ask_to_end},
                                     {"stop_reading", m_stop_reading},
                                     {"finish", m_finish},
                                     {NULL, NULL}};
  static const luaL_Reg functions[] = {
      {"now", f_now},     {"cpu", f_cpu},
      {"timed", f_timed}, {"sleep_until", f_sleep_until},
      {"start", f_start}, {NULL, NULL}};
  luaL_newmetatable(L, PROCESS_TYPE);
  lua_pushcfunction(L, m__gc);
  lua_setfield(L, -2, "__gc");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  luaL_newlib(L, functions);
  return 1;
}
