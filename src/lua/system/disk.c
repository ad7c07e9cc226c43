/*
 * Files and folders, as builds need them: looked at without following links,
 * written whole or not at all, and locked by one program at a time.
 */
#include "disk.h"

#include "engine/base/platform.h"
#include "engine/files/file.h"
#include "engine/files/file_failure.h"
#include "engine/files/file_limit.h"
#include "engine/files/file_lock.h"
#include "engine/files/image.h"
#include "engine/files/twin.h"
#include "lua/shown/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_TYPE "gptimage2.FolderLock"
#define HOLDER_MAX 200 /* bytes that tell who holds a lock */

/* Pushes nil and the failure as an error; it is cleared. */
static int fail(lua_State *L, Failure *failure) {
  error_push(L, failure->kind, failure->code,
             failure->detail ? failure->detail : failure->code);
  failure_clear(failure);
  return error_return(L);
}

/* The same by errno. */
static int fail_by_errno(lua_State *L, const char *doing, const char *path) {
  Failure failure = {0};
  file_fail(&failure, doing, path);
  return fail(L, &failure);
}

/* ARG: path
** RES: "file" | "folder" | "link" | "other", bytes | nil where nothing is, or
**      nobody may look */
static int f_look(lua_State *L) {
  struct stat info;
  if (lstat(luaL_checkstring(L, 1), &info) != 0) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushstring(L, S_ISREG(info.st_mode)   ? "file"
                    : S_ISDIR(info.st_mode) ? "folder"
                    : S_ISLNK(info.st_mode) ? "link"
                                            : "other");
  lua_pushnumber(L, (lua_Number)info.st_size);
  return 2;
}

/* The folder is owned by a userdata, so that no error can leak it. */
static int m_close_folder(lua_State *L) {
  DIR **folder = lua_touserdata(L, 1);
  if (*folder)
    closedir(*folder);
  *folder = NULL;
  return 0;
}

/* ARG: path of a folder
** RES: the names in it but for . and .. | nil */
static int f_list(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  const struct dirent *entry;
  int count = 0;
  DIR **folder = lua_newuserdata(L, sizeof *folder);
  *folder = NULL;
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, m_close_folder);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  *folder = opendir(path);
  if (!*folder) {
    lua_pushnil(L);
    return 1;
  }
  lua_newtable(L);
  /* cppcheck-suppress readdirCalled */
  while ((entry = readdir(*folder))) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    lua_pushstring(L, entry->d_name);
    lua_rawseti(L, -2, ++count);
  }
  closedir(*folder);
  *folder = NULL;
  return 1;
}

/* ARG: path, permissions: one folder, which may be there already
** RES: true | nil, err */
static int f_make(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct stat info;
  if (mkdir(path, (mode_t)luaL_checkinteger(L, 2)) != 0) {
    int error = errno;
    if (error != EEXIST || stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
      errno = error;
      return fail_by_errno(L, "make the folder", path);
    }
  }
  lua_pushboolean(L, 1);
  return 1;
}

static bool write_whole(const char *path, const char *bytes, size_t length,
                        bool overwrite, mode_t mask, Failure *failure) {
  File file;
  uint64_t name;
  if (!platform_random(&name, sizeof name)) {
    failure_set(failure, "io", "no_randomness",
                "the system gave no random bytes for the name of a file");
    return false;
  }
  if (!file_open(&file, path, name, failure))
    return false;
  file.mode &= mask;
  if (!file_append(&file, bytes, length, failure)) {
    file_abandon(&file);
    return false;
  }
  return file_commit(&file, path, overwrite, twin_has_same_bytes, failure);
}

/* ARG: path, bytes, whether a file that is there is replaced, [permissions that
**      it may have at most]: its folders are made where they are missing
** RES: true | nil, err, where another is there (file_exists), too */
static int f_write(lua_State *L) {
  size_t length;
  const char *path = luaL_checkstring(L, 1);
  const char *bytes = luaL_checklstring(L, 2, &length);
  bool overwrite = lua_toboolean(L, 3);
  mode_t mask = (mode_t)luaL_optinteger(L, 4, 0777);
  Failure failure = {0};
  FileLimit limit;
  bool ok;
  file_limit_hold(&limit);
  ok = write_whole(path, bytes, length, overwrite, mask, &failure);
  file_limit_release(&limit);
  if (!ok)
    return fail(L, &failure);
  lua_pushboolean(L, 1);
  return 1;
}

/* ARG: path of a file, another name for it: it may only be read then, and the
**      first name goes away
** RES: true, also where a file has the other name | nil, err */
static int f_rename_new(lua_State *L) {
  const char *from = luaL_checkstring(L, 1);
  const char *to = luaL_checkstring(L, 2);
  if (chmod(from, 0444) != 0)
    return fail_by_errno(L, "set the permissions of", from);
  if (link(from, to) != 0 && errno != EEXIST &&
      (access(to, F_OK) == 0 || rename(from, to) != 0)) /* no links here */
    return fail_by_errno(L, "create", to);
  unlink(from);
  lua_pushboolean(L, 1);
  return 1;
}

/* ARG: path of a whole file, the name that it gets, whether one that is there
**      is replaced
** RES: true | nil, err */
static int f_place(lua_State *L) {
  const char *from = luaL_checkstring(L, 1);
  const char *to = luaL_checkstring(L, 2);
  bool replace = lua_toboolean(L, 3);
  struct stat info;
  if (!replace && link(from, to) == 0) {
    unlink(from);
  } else if (!replace && (errno == EEXIST || lstat(to, &info) == 0)) {
    errno = EEXIST;
    return fail_by_errno(L, "create", to);
  } else if (rename(from, to) != 0) { /* no links here, or over another */
    return fail_by_errno(L, "create", to);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* The folder of a path; false where there is none above it. */
static bool go_up(char *path) {
  char *slash = strrchr(path, '/');
  if (!slash || slash == path)
    return false;
  *slash = '\0';
  return true;
}

/* ARG: absolute path of a file
** RES: true where it could be made, folders that are missing too, as far as
**      the permissions say | nil, err */
static int f_may_make(lua_State *L) {
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  char *folder = lua_newuserdata(L, length + 1);
  int refused = -1;
  memcpy(folder, path, length + 1);
  errno = ENOENT;
  while (refused != 0 && errno == ENOENT && go_up(folder))
    refused = access(folder, W_OK | X_OK);
  if (refused != 0 && errno != ENOENT)
    return fail_by_errno(L, "create", path);
  lua_pushboolean(L, 1);
  return 1;
}

/* ARG: path of a folder, with a slash at its end
** RES: the path of a new folder in it, for nobody else to look into
**      | nil, err */
static int f_temporary(lua_State *L) {
  size_t length;
  char *path;
  const char *pattern;
  lua_pushfstring(L, "%sgptimage2-XXXXXX", luaL_checkstring(L, 1));
  pattern = lua_tolstring(L, -1, &length);
  path = lua_newuserdata(L, length + 1);
  memcpy(path, pattern, length + 1);
  if (!mkdtemp(path))
    return fail_by_errno(L, "make a folder in", lua_tostring(L, 1));
  lua_pushstring(L, path);
  return 1;
}

/* ARG: path
** RES: "png", "jpg", "webp", "gif", "avif" | nil: no image, or none to read */
static int f_image_kind(lua_State *L) {
  char head[IMAGE_HEAD];
  const char *kind;
  int fd = open(luaL_checkstring(L, 1),
                O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof head);
  if (fd >= 0)
    close(fd);
  kind = got > 0 ? image_extension(head, (size_t)got) : NULL;
  lua_pushstring(L, kind); /* NULL: nil */
  return 1;
}

/* ---- locks ---- */

typedef struct FolderLock {
  int fd; /* -1: let go */
} FolderLock;

/* Also its method `release`. */
static int m_release(lua_State *L) {
  FolderLock *lock = luaL_checkudata(L, 1, LOCK_TYPE);
  if (lock->fd >= 0)
    close(lock->fd); /* and with it the lock */
  lock->fd = -1;
  return 0;
}

/* Pushes who holds the lock, as the holder wrote it. */
static void push_holder(lua_State *L, int fd) {
  char text[HOLDER_MAX];
  ssize_t got = pread(fd, text, sizeof text, 0);
  lua_pushlstring(L, text, got > 0 ? (size_t)got : 0);
}

static void write_holder(int fd) {
  char host[HOLDER_MAX / 2] = "";
  char text[HOLDER_MAX];
  int length;
  if (gethostname(host, sizeof host - 1) != 0)
    host[0] = '\0';
  length = snprintf(text, sizeof text, "process %ld on %s", (long)getpid(),
                    host[0] ? host : "this machine");
  /* It is for people: without it the lock holds all the same. */
  if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) < 0)
    return;
}

/* Pushes a lock that is not taken yet. The table at index 2 has it as `held`
** from now on: so whoever has the table can let it go, whatever hook of the
** host's raises behind this call. */
static FolderLock *push_lock(lua_State *L) {
  FolderLock *lock = lua_newuserdata(L, sizeof *lock);
  lock->fd = -1;
  luaL_getmetatable(L, LOCK_TYPE);
  lua_setmetatable(L, -2);
  lua_pushliteral(L, "held");
  lua_pushvalue(L, -2);
  lua_rawset(L, 2);
  return lock;
}

/* ARG: path of a file, which is made where it is missing; optional: a table
** RES: a lock | nil, nil, who holds it | nil, err */
static int f_lock(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  FolderLock *lock;
  int error;
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_newtable(L);
    lua_replace(L, 2);
  }
  luaL_checktype(L, 2, LUA_TTABLE);
  lock = push_lock(L);
  lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock->fd < 0)
    return fail_by_errno(L, "open", path);
  error = file_lock(lock->fd, F_WRLCK, 0, 1);
  if (error == 0) {
    write_holder(lock->fd);
    return 1;
  }
  if (error != EAGAIN) {
    errno = error;
    return fail_by_errno(L, "lock", path);
  }
  lua_pushnil(L);
  lua_pushnil(L);
  push_holder(L, lock->fd);
  close(lock->fd);
  lock->fd = -1;
  return 3;
}

void disk_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"look", f_look},
                                       {"list", f_list},
                                       {"make", f_make},
                                       {"write", f_write},
                                       {"lock", f_lock},
                                       {"rename_new", f_rename_new},
                                       {"place", f_place},
                                       {"may_make", f_may_make},
                                       {"temporary", f_temporary},
                                       {"image_kind", f_image_kind},
                                       {NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"release", m_release}, {"__gc", m_release}, {NULL, NULL}};
  luaL_newmetatable(L, LOCK_TYPE);
  compat_setfuncs(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_newtable(L);
  compat_setfuncs(L, functions);
  lua_setfield(L, -2, "disk");
}
