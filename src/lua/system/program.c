/*
 * A program of somebody else's, run to its end.
 *
 * It gets a process group of its own, so that it and whatever it starts can be
 * ended together, and the terminal's signals do not reach it; no standard
 * input; our standard error for both of its outputs; no other descriptor, where
 * the system can close them all; and an environment without the API key.
 * Nothing of it is left when the call comes back.
 *
 * Who waits may look meanwhile: a function of the host's is called a few times
 * a second, which may say that somebody has asked for the end.
 *
 * For that time SIGCHLD has its default meaning: where the host ignores it, or
 * reaps all children, nobody could tell how this one ended.
 */
#include "program.h"

#include "engine/base/clock.h"
#include "engine/base/platform.h"
#include "lua/system/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEY_VARIABLE "GPTIMAGE2_API_KEY="
#define ARGS_MAX 4096
#define LOOK_FIRST 1000000L /* nanoseconds between two looks, at first */
#define LOOK_MOST 50000000L

#ifdef GPTIMAGE2_POSIX
extern char **environ; /* which its headers do not tell */
#endif

/* What is needed to start it. */
typedef struct Start {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  char *const *argv;
  char **environment;
  const char *folder; /* where it runs */
  lua_State *L;
  int look; /* the index of the function that looks; 0: nobody does */
} Start;

/* The signals that mean something else in this process. */
static void set_signals(posix_spawnattr_t *attributes) {
  static const int numbers[] = {SIGINT,  SIGTERM, SIGHUP, SIGPIPE,
                                SIGCHLD, SIGQUIT, SIGXFSZ};
  sigset_t defaults, mask;
  sigemptyset(&defaults);
  sigemptyset(&mask);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    sigaddset(&defaults, numbers[i]);
  posix_spawnattr_setsigdefault(attributes, &defaults);
  posix_spawnattr_setsigmask(attributes, &mask);
  posix_spawnattr_setpgroup(attributes, 0);
  posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF |
                                           POSIX_SPAWN_SETSIGMASK |
                                           POSIX_SPAWN_SETPGROUP);
}

/* 0 or an errno.  On failure there is nothing to end. */
static int start_init(Start *start) {
  int error = posix_spawn_file_actions_init(&start->actions);
  if (error)
    return error;
  error = posix_spawnattr_init(&start->attributes);
  if (error) {
    posix_spawn_file_actions_destroy(&start->actions);
    return error;
  }
  set_signals(&start->attributes);
  error = posix_spawn_file_actions_addopen(&start->actions, STDIN_FILENO,
                                           "/dev/null", O_RDONLY, 0);
  if (!error)
    error = posix_spawn_file_actions_adddup2(&start->actions, STDERR_FILENO,
                                             STDOUT_FILENO);
  if (!error)
    error = platform_spawn_alone(&start->actions);
  if (error) {
    posix_spawn_file_actions_destroy(&start->actions);
    posix_spawnattr_destroy(&start->attributes);
  }
  return error;
}

static void start_end(Start *start) {
  posix_spawn_file_actions_destroy(&start->actions);
  posix_spawnattr_destroy(&start->attributes);
}

/* Ends what is left of the group, then takes the leader's end.  The leader is
 * there until then, so that its number is nobody else's. */
static int reap(pid_t pid) {
  int status = 0;
  kill(-pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      return -1;
  return status;
}

typedef enum Outcome { ENDED, TOO_LONG, LOST, RAISED } Outcome;

/* Lets the host look.  False: that raised an error, which is on the stack. */
static bool look(const Start *start) {
  if (!start->look)
    return true;
  lua_pushvalue(start->L, start->look);
  return lua_pcall(start->L, 0, 0, 0) == 0;
}

/* Waits for its end, or until the time is over. */
static Outcome await(const Start *start, pid_t pid, double timeout) {
  double until = clock_monotonic() + timeout;
  struct timespec pause = {0, LOOK_FIRST};
  for (;;) {
    siginfo_t info;
    info.si_pid = 0;
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 &&
        errno != EINTR)
      return LOST; /* somebody has reaped it */
    if (info.si_pid == pid)
      return ENDED;
    if (clock_monotonic() >= until)
      return TOO_LONG;
    if (!look(start))
      return RAISED;
    nanosleep(&pause, NULL);
    if (pause.tv_nsec < LOOK_MOST)
      pause.tv_nsec *= 2;
  }
}

/* Starts it in its folder: 0 or an errno. */
static int spawn(Start *start, pid_t *pid) {
  int here = -1;
  int error = platform_spawn_in(&start->actions, start->folder);
  if (error == ENOSYS) { /* then we are there for a moment */
    here = open(".", O_RDONLY | O_CLOEXEC);
    error = here < 0 || chdir(start->folder) != 0 ? errno : 0;
  }
  if (!error)
    error = posix_spawnp(pid, start->argv[0], &start->actions,
                         &start->attributes, start->argv, start->environment);
  if (here >= 0) {
    if (fchdir(here) != 0 && !error)
      error = errno;
    close(here);
  }
  return error;
}

/* Starts it; who ends this process by a signal ends it, too, from its first
 * moment on. */
static int spawn_known(Start *start, pid_t *pid) {
  sigset_t all, before;
  int error;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  error = spawn(start, pid);
  if (!error)
    signals_set_group(*pid);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

/* Runs it: its status as waitpid has it, -1 where that cannot be told, -2 where
 * the time was over, -3 where looking raised an error.  `error`: it did not
 * start. */
static int run(Start *start, double timeout, int *error) {
  struct sigaction ours, before;
  Outcome outcome;
  pid_t pid;
  int status = -1;
  memset(&ours, 0, sizeof ours);
  ours.sa_handler = SIG_DFL;
  sigemptyset(&ours.sa_mask);
  sigaction(SIGCHLD, &ours, &before);
  *error = spawn_known(start, &pid);
  if (!*error) {
    outcome = await(start, pid, timeout);
    signals_set_group(0);
    if (outcome != LOST)
      status = reap(pid);
    if (outcome == TOO_LONG || outcome == RAISED)
      status = outcome == TOO_LONG ? -2 : -3;
  }
  sigaction(SIGCHLD, &before, NULL);
  return status;
}

/* Pushes a userdata with pointers to the strings of the list at index 1. */
static char **push_argv(lua_State *L, int count) {
  char **argv = lua_newuserdata(L, ((size_t)count + 1) * sizeof *argv);
  for (int i = 0; i < count; i++) {
    const char *text;
    lua_rawgeti(L, 1, i + 1); /* the list keeps it */
    text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    luaL_argcheck(L, text, 1, "list of texts expected");
    argv[i] = (char *)text;
    lua_pop(L, 1);
  }
  argv[count] = NULL;
  return argv;
}

/* Pushes a userdata with the environment but for the key. */
static char **push_environment(lua_State *L) {
  size_t count = 0;
  size_t at = 0;
  char **kept;
  while (environ && environ[count])
    count++;
  kept = lua_newuserdata(L, (count + 1) * sizeof *kept);
  for (size_t i = 0; i < count; i++)
    if (strncmp(environ[i], KEY_VARIABLE, strlen(KEY_VARIABLE)) != 0)
      kept[at++] = environ[i];
  kept[at] = NULL;
  return kept;
}

/* Pushes how it ended. */
static int push_end(lua_State *L, int status) {
  lua_pushnil(L);
  if (status == -2)
    lua_pushliteral(L, "it took too long, and was ended");
  else if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
    lua_pushliteral(L, "it ended with 127: is it there?");
  else if (status >= 0 && WIFEXITED(status))
    lua_pushfstring(L, "it ended with %d", WEXITSTATUS(status));
  else if (status >= 0 && WIFSIGNALED(status))
    lua_pushfstring(L, "it was ended by signal %d", WTERMSIG(status));
  else
    lua_pushliteral(L, "how it ended is not known");
  return 2;
}

/* ARG: list of texts (the program and its arguments), seconds, [a folder],
**      [a function that is called meanwhile, and does not yield]
** RES: true | nil, why it did not end well */
static int f_run_program(lua_State *L) {
  double timeout = luaL_checknumber(L, 2);
  Start start;
  int count, error, status;
  luaL_checktype(L, 1, LUA_TTABLE);
  start.folder = luaL_optstring(L, 3, ".");
  if (!lua_isnoneornil(L, 4))
    luaL_checktype(L, 4, LUA_TFUNCTION);
  lua_settop(L, 4);
  start.L = L;
  start.look = lua_isnil(L, 4) ? 0 : 4;
  count = (int)compat_rawlen(L, 1);
  luaL_argcheck(L, count > 0 && count <= ARGS_MAX, 1, "1 to 4096 texts");
  start.argv = push_argv(L, count);
  start.environment = push_environment(L);
  error = start_init(&start);
  status = -1;
  if (!error) {
    status = run(&start, timeout, &error);
    start_end(&start);
  }
  if (status == -3)
    return lua_error(L);
  if (error) {
    lua_pushnil(L);
    lua_pushfstring(L, "it cannot be started: %s", strerror(error));
    return 2;
  }
  if (status == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  return push_end(L, status);
}

void program_open(lua_State *L) {
  lua_pushcfunction(L, f_run_program);
  lua_setfield(L, -2, "run_program");
}
