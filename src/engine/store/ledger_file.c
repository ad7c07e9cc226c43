/* The file of a ledger: see ledger_file.h. */
#include "ledger_file.h"

#include "engine/base/shortage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ledger_file_refuse(Failure *failure, const char *code, const char *path,
                        const char *why) {
  failure_set(failure, "ledger", code, "the ledger '%.300s' %s", path, why);
}

void ledger_file_refuse_for(Failure *failure, const char *code,
                            const char *path, const char *what,
                            const char *reason) {
  char text[200];
  snprintf(text, sizeof text, "cannot be %s: %s", what, reason);
  ledger_file_refuse(failure, code, path, text);
}

void ledger_file_refuse_errno(Failure *failure, const char *path,
                              const char *what, int error) {
  const char *lacking = shortage_of(error);
  ledger_file_refuse_for(failure,
                         lacking ? "ledger_unwritable" : "ledger_unopenable",
                         path, what, lacking ? lacking : strerror(error));
}

static bool cannot_open(const char *path, int error, Failure *failure) {
  ledger_file_refuse_errno(failure, path, "opened", error);
  return false;
}

/* The folder of `path`, in memory of its own; NULL with errno. */
static char *real_folder(const char *path, const char *slash) {
  char *folder, *real;
  if (!slash)
    return realpath(".", NULL);
  folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
  real = folder ? realpath(folder, NULL) : NULL;
  free(folder);
  return real;
}

char *ledger_file_path(const char *path, Failure *failure) {
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  char *folder, *whole;
  size_t size;
  if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
    ledger_file_refuse(failure, "ledger_unopenable", path, "is not a file");
    return NULL;
  }
  folder = real_folder(path, slash);
  if (!folder) {
    cannot_open(path, errno, failure);
    return NULL;
  }
  size = strlen(folder) + strlen(name) + 2;
  whole = malloc(size);
  if (whole)
    snprintf(whole, size, "%s/%s", folder[1] ? folder : "", name);
  else
    cannot_open(path, ENOMEM, failure);
  free(folder);
  return whole;
}

static bool is_somebody_else_s(const struct stat *info, bool any_owner) {
  return !any_owner && info->st_uid != geteuid();
}

bool ledger_file_check(const char *path, bool any_owner, struct stat *info,
                       Failure *failure) {
  if (lstat(path, info) != 0)
    return cannot_open(path, errno, failure);
  if (S_ISLNK(info->st_mode))
    ledger_file_refuse(failure, "ledger_symlink", path,
                       "is a symbolic link: name the file itself");
  else if (!S_ISREG(info->st_mode))
    ledger_file_refuse(failure, "ledger_unopenable", path, "is not a file");
  else if (info->st_nlink > 1)
    ledger_file_refuse(failure, "ledger_linked", path,
                       "has several names (hard links), which SQLite does not "
                       "survive: leave it one");
  else if (is_somebody_else_s(info, any_owner))
    ledger_file_refuse(failure, "ledger_foreign", path,
                       "belongs to another user; where the file system cannot "
                       "tell owners, use the option ledger_owner = \"any\"");
  else
    return true;
  return false;
}

void ledger_file_id(const struct stat *info, char id[LEDGER_FILE_ID]) {
  snprintf(id, LEDGER_FILE_ID, "%" PRIxMAX ":%" PRIxMAX,
           (uintmax_t)info->st_dev, (uintmax_t)info->st_ino);
}

bool ledger_file_is_meant(const char *path, const struct stat *info,
                          const char *id, Failure *failure) {
  char name[LEDGER_FILE_ID];
  ledger_file_id(info, name);
  if (!id || strcmp(id, name) == 0)
    return true;
  ledger_file_refuse(failure, "ledger_replaced", path,
                     "is another file than the one that was opened");
  return false;
}

/* What the file system says of a file that we made ourselves. */
static bool is_told_rightly(int fd, const char *path, bool any_owner,
                            Failure *failure) {
  struct stat info;
  if (fstat(fd, &info) == 0 && is_somebody_else_s(&info, any_owner)) {
    ledger_file_refuse(failure, "ledger_foreign", path,
                       "seems to belong to another user as soon as it is made: "
                       "its file system cannot tell owners; if you trust it "
                       "with this file, use the option ledger_owner = \"any\"");
    return false;
  }
  return true;
}

bool ledger_file_make(const char *path, bool any_owner, bool *made,
                      Failure *failure) {
  struct stat info;
  int fd;
  *made = false;
  if (lstat(path, &info) == 0)
    return true;
  do
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  while (fd < 0 && errno == EINTR);
  if (fd < 0 && errno == EEXIST) /* somebody was faster */
    return true;
  if (fd < 0)
    return cannot_open(path, errno, failure);
  *made = is_told_rightly(fd, path, any_owner, failure);
  if (!*made)
    unlink(path);
  close(fd);
  return *made;
}

bool ledger_file_is_empty(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0 && info.st_size == 0;
}

void ledger_file_remove(const char *path, bool with_lock) {
  static const char *const endings[] = {"-wal", "-shm", "", ".lock"};
  char name[PATH_MAX];
  int first = ledger_file_is_empty(path) ? 2 : 0; /* the log is another's */
  for (int i = first; i < (with_lock ? 4 : 3); i++)
    if (snprintf(name, sizeof name, "%s%s", path, endings[i]) <
        (int)sizeof name)
      unlink(name);
}
