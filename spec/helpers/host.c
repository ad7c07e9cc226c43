/*
 * spec.host: what specs need of the system and Lua cannot do by itself: a
 * second Lua state in the process, forks, a look at a descriptor, the number
 * of threads, signals.  Runs on the thread of the Lua state that calls it.
 * For tests only; each State owns its lua_State until close.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#define STATE_TYPE "spec.State"
#define ARGUMENTS_MAX 16
#define TEXT_MAX 65536 /* bytes that a forked child may tell */

int luaopen_spec_host(lua_State *L);

typedef struct State {
  lua_State *inner; /* NULL after close */
} State;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* RES: monotonic seconds */
static int f_now(lua_State *L) {
  lua_pushnumber(L, now());
  return 1;
}

/* ARG: descriptor, [seconds = 0]
** RES: whether it became readable in that time */
static int f_readable(lua_State *L) {
  struct pollfd it = {.fd = (int)luaL_checkinteger(L, 1), .events = POLLIN};
  int time = (int)(luaL_optnumber(L, 2, 0) * 1000);
  lua_pushboolean(L, poll(&it, 1, time) == 1 && (it.revents & POLLIN));
  return 1;
}

/* ARG: seconds to stand still */
static int f_pause(lua_State *L) {
  double seconds = luaL_checknumber(L, 1);
  struct timespec left = {.tv_sec = (time_t)seconds};
  left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
  nanosleep(&left, NULL);
  return 0;
}

static int count_entries(lua_State *L, const char *path) {
  DIR *folder = opendir(path);
  int count = 0;
  if (!folder)
    return luaL_error(L, "cannot read %s", path);
  while (readdir(folder))
    count++;
  closedir(folder);
  return count - 2; /* . and .. */
}

/* RES: threads of this process */
static int f_threads(lua_State *L) {
  lua_pushinteger(L, count_entries(L, "/proc/self/task"));
  return 1;
}

/* RES: open descriptors of this process */
static int f_descriptors(lua_State *L) {
  lua_pushinteger(L, count_entries(L, "/proc/self/fd") - 1);
  return 1;
}

/* RES: the number of this process */
static int f_pid(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)getpid());
  return 1;
}

/* ARG: process number; sends it what Ctrl-C sends */
static int f_interrupt(lua_State *L) {
  lua_pushboolean(L, kill((pid_t)luaL_checkinteger(L, 1), SIGINT) == 0);
  return 1;
}

/* ARG: process number, a signal's number */
static int f_signal(lua_State *L) {
  lua_pushboolean(L, kill((pid_t)luaL_checkinteger(L, 1),
                          (int)luaL_checkinteger(L, 2)) == 0);
  return 1;
}

/* ARG: what the function below was given; Ctrl-C comes just before */
static int f_after_interrupt(lua_State *L) {
  lua_CFunction function = lua_tocfunction(L, lua_upvalueindex(1));
  raise(SIGINT);
  return function(L);
}

/* ARG: C function without upvalues
** RES: one that does the same, with Ctrl-C in it: its hook, which a call would
** run, is first run when the function has returned */
static int f_interrupting(lua_State *L) {
  luaL_argcheck(L, lua_iscfunction(L, 1), 1, "C function expected");
  lua_settop(L, 1);
  lua_pushcclosure(L, f_after_interrupt, 1);
  return 1;
}

/* The child's side of f_start. */
static void be_program(char **words, const char *output) {
  int nothing = open("/dev/null", O_RDONLY);
  int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (nothing >= 0 && fd >= 0) {
    dup2(nothing, 0);
    dup2(fd, 1);
    dup2(fd, 2);
    execv(words[0], words);
  }
  _exit(127);
}

/* ARG: file for what it writes, program, its arguments
** RES: the number of a new process */
static int f_start(lua_State *L) {
  char *words[ARGUMENTS_MAX + 1] = {0};
  const char *output = luaL_checkstring(L, 1);
  int count = lua_gettop(L) - 1;
  pid_t pid;
  luaL_argcheck(L, count >= 1 && count <= ARGUMENTS_MAX, 2, "too many");
  for (int i = 0; i < count; i++)
    words[i] = (char *)(uintptr_t)luaL_checkstring(L, 2 + i);
  pid = fork();
  if (pid < 0)
    return luaL_error(L, "cannot fork");
  if (pid == 0)
    be_program(words, output);
  lua_pushinteger(L, (lua_Integer)pid);
  return 1;
}

/* ARG: a child's number
** RES: nil while it lives; then its exit code, or 128 + the signal's number */
static int f_ended(lua_State *L) {
  int status = 0;
  pid_t pid = waitpid((pid_t)luaL_checkinteger(L, 1), &status, WNOHANG);
  if (pid < 0)
    return luaL_error(L, "no such child");
  if (pid == 0)
    return 0;
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status)
                                       : 128 + WTERMSIG(status));
  return 1;
}

/* Calls the function at index 1, writes what it gives into `fd`, and ends as
 * another program: exit handlers and searches for leaks belong to the parent.
 */
static void be_child(lua_State *L, int fd) {
  const char *text;
  size_t length;
  lua_pushvalue(L, 1);
  lua_pcall(L, 0, 1, 0); /* an error message is told like a result */
  text = luaL_checklstring(L, -1, &length);
  while (length > 0) {
    ssize_t written = write(fd, text, length);
    if (written < 0)
      break;
    text += written;
    length -= (size_t)written;
  }
  execl("/bin/true", "true", (char *)NULL);
  raise(SIGKILL);
}

/* Pushes all that comes from `fd`. */
static void push_all(lua_State *L, int fd) {
  char *text = lua_newuserdata(L, TEXT_MAX);
  size_t length = 0;
  ssize_t got;
  while (length < TEXT_MAX &&
         ((got = read(fd, text + length, TEXT_MAX - length)) > 0 ||
          (got < 0 && errno == EINTR)))
    if (got > 0)
      length += (size_t)got;
  lua_pushlstring(L, text, length);
}

/* ARG: function, which is called in a forked child
** RES: the string it gave there, or its error message */
static int f_fork(lua_State *L) {
  int ends[2];
  pid_t pid;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0)
    return luaL_error(L, "cannot fork");
  if (pid == 0)
    be_child(L, ends[1]);
  close(ends[1]);
  push_all(L, ends[0]);
  close(ends[0]);
  waitpid(pid, NULL, 0);
  return 1;
}

/* RES: 0 in a forked child, its number in the parent */
static int f_split(lua_State *L) {
  pid_t pid = fork();
  if (pid < 0)
    return luaL_error(L, "cannot fork");
  lua_pushinteger(L, (lua_Integer)pid);
  return 1;
}

/* ARG: a child's number
** RES: its exit code, or nil and the signal that ended it */
static int f_wait(lua_State *L) {
  int status = 0;
  if (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) < 0)
    return luaL_error(L, "no such child");
  if (WIFEXITED(status)) {
    lua_pushinteger(L, WEXITSTATUS(status));
    return 1;
  }
  lua_pushnil(L);
  lua_pushinteger(L, WTERMSIG(status));
  return 2;
}

/* RES: a port on 127.0.0.1 that takes connections and never says a word; there
** is one in a process, which stays open */
static int f_silent_port(lua_State *L) {
  static int port;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  int fd = -1;
  if (port) {
    lua_pushinteger(L, port);
    return 1;
  }
  fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
      listen(fd, 16) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &size) != 0)
    return luaL_error(L, "cannot listen");
  port = ntohs(address.sin_port);
  lua_pushinteger(L, port);
  return 1;
}

/* ---- a Lua state of its own ---- */

static State *check_open(lua_State *L) {
  State *state = luaL_checkudata(L, 1, STATE_TYPE);
  luaL_argcheck(L, state->inner, 1, "the state is closed");
  return state;
}

/* RES: a new Lua state with the standard libraries */
static int f_state(lua_State *L) {
  State *state = lua_newuserdata(L, sizeof *state);
  state->inner = NULL;
  luaL_getmetatable(L, STATE_TYPE);
  lua_setmetatable(L, -2);
  state->inner = luaL_newstate();
  if (!state->inner)
    return luaL_error(L, "not enough memory");
  luaL_openlibs(state->inner);
  return 1;
}

/* ARG: state, code, strings for the code's `...`
** RES: the string that the code returns, or nothing; raises its error */
static int m_run(lua_State *L) {
  lua_State *inner = check_open(L)->inner;
  const char *code = luaL_checkstring(L, 2);
  int count = lua_gettop(L) - 2;
  int failed = luaL_loadbuffer(inner, code, strlen(code), "=inner");
  if (!failed) {
    luaL_checkstack(inner, count, NULL);
    for (int i = 1; i <= count; i++)
      lua_pushstring(inner, luaL_checkstring(L, 2 + i));
    failed = lua_pcall(inner, count, 1, 0);
  }
  lua_pushstring(L, lua_tostring(inner, -1));
  lua_settop(inner, 0);
  return failed ? lua_error(L) : 1;
}

/* ARG: state
** RES: seconds that closing it took */
static int m_close(lua_State *L) {
  State *state = check_open(L);
  double start = now();
  lua_close(state->inner);
  state->inner = NULL;
  lua_pushnumber(L, now() - start);
  return 1;
}

static int m__gc(lua_State *L) {
  State *state = luaL_checkudata(L, 1, STATE_TYPE);
  if (state->inner)
    lua_close(state->inner);
  state->inner = NULL;
  return 0;
}

/* RES: the path of a new folder
** To start mktemp for it takes as long as to load the module. */
static int f_new_folder(lua_State *L) {
  const char *parent = getenv("TMPDIR");
  char path[PATH_MAX];
  int length = snprintf(path, sizeof path, "%s/spec.XXXXXX",
                        parent && *parent ? parent : "/tmp");
  if (length >= (int)sizeof path || !mkdtemp(path))
    return luaL_error(L, "no folder can be made: %s", strerror(errno));
  lua_pushstring(L, path);
  return 1;
}

static int remove_one(const char *path, const struct stat *info, int type,
                      struct FTW *place) {
  (void)info, (void)type, (void)place;
  return remove(path);
}

/* ARG: path of a folder, which is removed with all that is in it */
static int f_remove_folder(lua_State *L) {
  nftw(luaL_checkstring(L, 1), remove_one, 16, FTW_DEPTH | FTW_PHYS);
  return 0;
}

static void set_functions(lua_State *L, const luaL_Reg *list) {
  for (; list->name; list++) {
    lua_pushcfunction(L, list->func);
    lua_setfield(L, -2, list->name);
  }
}

__attribute__((visibility("default"))) int luaopen_spec_host(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"run", m_run}, {"close", m_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"now", f_now},
                                       {"readable", f_readable},
                                       {"pause", f_pause},
                                       {"threads", f_threads},
                                       {"descriptors", f_descriptors},
                                       {"pid", f_pid},
                                       {"interrupt", f_interrupt},
                                       {"interrupting", f_interrupting},
                                       {"signal", f_signal},
                                       {"start", f_start},
                                       {"ended", f_ended},
                                       {"fork", f_fork},
                                       {"split", f_split},
                                       {"wait", f_wait},
                                       {"silent_port", f_silent_port},
                                       {"state", f_state},
                                       {"new_folder", f_new_folder},
                                       {"remove_folder", f_remove_folder},
                                       {NULL, NULL}};
  luaL_newmetatable(L, STATE_TYPE);
  lua_pushcfunction(L, m__gc);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  set_functions(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_newtable(L);
  set_functions(L, functions);
  return 1;
}
