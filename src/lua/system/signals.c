/*
 * Signals, counted.
 *
 * A handler may do nearly nothing, so it counts, and who steps looks.  Those
 * that ask for the end are patient up to a number: the one that reaches it ends
 * the program there and then, wherever it is, as the user wants it; the ledger
 * is made for that.
 */
#include "signals.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define INTERRUPTED 130

static volatile sig_atomic_t ends;     /* signals that ask for the end */
static volatile sig_atomic_t resizes;  /* of the terminal */
static volatile sig_atomic_t most = 1; /* the end that is one at once */
static volatile sig_atomic_t running;  /* what runs for us; 0: nothing */

static void end_group(void) {
  if (running > 0)
    kill(-(pid_t)running, SIGKILL);
}

static void on_end(int number) {
  (void)number;
  if (++ends < most)
    return;
  end_group();
  _exit(INTERRUPTED);
}

/* It ends us as if nobody had caught it, once this handler is over. */
static void on_quit(int number) {
  end_group();
  signal(number, SIG_DFL);
  raise(number);
}

static void on_resize(int number) {
  (void)number;
  resizes++;
}

void signals_set_group(pid_t group) {
  running = (sig_atomic_t)group;
}

static void handle(int number, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART; /* poll comes back all the same */
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

static bool is_ignored(int number) {
  struct sigaction action;
  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* From now on they are counted, and writing to a pipe that nobody reads is an
 * error like any other.  What was started by nohup stays deaf to SIGHUP. */
static int f_catch(lua_State *L) {
  (void)L;
  handle(SIGINT, on_end);
  handle(SIGTERM, on_end);
  if (!is_ignored(SIGHUP))
    handle(SIGHUP, on_end);
  if (!is_ignored(SIGQUIT))
    handle(SIGQUIT, on_quit);
#ifdef SIGWINCH
  handle(SIGWINCH, on_resize);
#endif
  handle(SIGPIPE, SIG_IGN);
  return 0;
}

/* ARG: how many signals that ask for the end are one at once
** RES: how many there were */
static int f_patience(lua_State *L) {
  lua_Integer count = luaL_checkinteger(L, 1);
  luaL_argcheck(L, count >= 1 && count <= 1000, 1, "out of range");
  most = (sig_atomic_t)count;
  lua_pushinteger(L, ends);
  return 1;
}

/* RES: how many asked for the end, how often the terminal got another size */
static int f_count(lua_State *L) {
  lua_pushinteger(L, ends);
  lua_pushinteger(L, resizes);
  return 2;
}

void signals_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"catch", f_catch},
                                       {"patience", f_patience},
                                       {"count", f_count},
                                       {NULL, NULL}};
  lua_newtable(L);
  compat_setfuncs(L, functions);
  lua_setfield(L, -2, "signals");
}
