/*
 * The terminal, and what a person hands over: a file that only they may read.
 */
#include "terminal.h"

#include "engine/base/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX 8192 /* bytes: longer than any key */

/* ARG: descriptor
** RES: whether it is a terminal */
static int f_is(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)) == 1);
  return 1;
}

/* ARG: descriptor
** RES: columns, rows | nil where it has none */
static int f_size(lua_State *L) {
  struct winsize size = {0};
  int fd = (int)luaL_checkinteger(L, 1);
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushinteger(L, size.ws_col);
  lua_pushinteger(L, size.ws_row);
  return 2;
}

/* Why nobody should take a secret from this file; NULL where all is well. */
static const char *secret_fault(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0)
    return strerror(errno);
  if (!S_ISREG(info.st_mode))
    return "it is no file";
  if (info.st_mode & (S_IRWXG | S_IRWXO))
    return "others may read or write it: chmod 600 makes it yours alone";
  if (info.st_uid != geteuid() && info.st_uid != 0)
    return "it belongs to somebody else";
  if (info.st_size > SECRET_MAX)
    return "it is too long for a key";
  return NULL;
}

/* ARG: path of a file that nobody else may read
** RES: what is in it | nil, why not */
static int f_read_secret(lua_State *L) {
  char text[SECRET_MAX];
  const char *path = luaL_checkstring(L, 1);
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const char *why = fd < 0 ? strerror(errno) : secret_fault(fd);
  ssize_t got = why || fd < 0 ? 0 : read(fd, text, sizeof text);
  if (got < 0)
    why = strerror(errno);
  if (fd >= 0)
    close(fd);
  if (why) {
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
  }
  lua_pushlstring(L, text, (size_t)got);
  platform_wipe(text, sizeof text);
  return 1;
}

void terminal_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"is", f_is},
                                       {"size", f_size},
                                       {"read_secret", f_read_secret},
                                       {NULL, NULL}};
  lua_newtable(L);
  compat_setfuncs(L, functions);
  lua_setfield(L, -2, "terminal");
}
