/* A file that appears whole or not at all: see file.h. */
#include "file.h"

#include "engine/base/platform.h"
#include "file_failure.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes after which the kernel is told to start writing to the disk, so that
 * the fsync at the end finds little left to do. */
#define FLUSH_STEP ((int64_t)4 << 20)

/* The folder part of `path` in `folder`: "." when there is none. */
static bool folder_of(const char *path, char *folder, size_t size) {
  const char *slash = strrchr(path, '/');
  size_t length = slash ? (size_t)(slash - path) : 0;
  if (slash == path)
    length = 1;
  if (length >= size) {
    errno = ENAMETOOLONG;
    return false;
  }
  memcpy(folder, slash ? path : ".", slash ? length : 1);
  folder[slash ? length : 1] = '\0';
  return true;
}

static const char *name_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* Like mkdir -p.  `folder` is changed and put back. */
static bool make_folders(char *folder) {
  for (char *slash = folder + 1;; slash++) {
    char kept;
    slash += strcspn(slash, "/");
    kept = *slash;
    *slash = '\0';
    if (mkdir(folder, 0777) != 0 && errno != EEXIST && errno != EISDIR) {
      struct stat info; /* "/" on a read-only system is there all the same */
      int error = errno;
      if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) {
        errno = error;
        *slash = kept;
        return false;
      }
    }
    *slash = kept;
    if (kept == '\0')
      return true;
  }
}

static int open_with_mode(int folder, const char *path, int flags,
                          mode_t mode) {
  int fd;
  do
    fd = openat(folder, path, flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

static int open_patiently(int folder, const char *path, int flags) {
  return open_with_mode(folder, path, flags, 0600);
}

/* Made where it is missing.  `folder` is changed and put back. */
static int open_folder(char *folder) {
  int flags = O_RDONLY | O_DIRECTORY;
  int fd = open_patiently(AT_FDCWD, folder, flags);
  if (fd < 0 && errno == ENOENT && make_folders(folder))
    fd = open_patiently(AT_FDCWD, folder, flags);
  return fd;
}

static void close_all(File *file) {
  if (file->fd >= 0)
    close(file->fd);
  if (file->folder >= 0)
    close(file->folder);
  *file = FILE_CLOSED;
}

static int open_temporary(int folder, const char *name) {
  return open_patiently(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
}

static void name_temporary(char name[FILE_NAME_SIZE], uint64_t random) {
  snprintf(name, FILE_NAME_SIZE, ".gptimage2-%016" PRIx64 ".part", random);
}

/* What a file system says that cannot do this for any file. */
static bool is_unsupported(int error) {
  return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP ||
         error == ENOTTY || error == EPERM || error == EACCES ||
         error == EMLINK || error == EXDEV;
}

/* Only a file that is made shows what permissions new ones get here: by the
 * umask, which cannot be read without changing it for other threads, or by the
 * folder's own rules.  It has them while it is empty, and once it is whole. */
static bool open_private(File *file) {
  struct stat info;
  file->fd = open_with_mode(file->folder, file->name,
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
  if (file->fd < 0)
    return false;
  if (fstat(file->fd, &info) != 0)
    return false;
  file->mode = info.st_mode & 0777;
  return fchmod(file->fd, 0600) == 0 || is_unsupported(errno);
}

bool file_open(File *file, const char *path, uint64_t random,
               Failure *failure) {
  char folder[PATH_MAX];
  *file = FILE_CLOSED;
  if (!folder_of(path, folder, sizeof folder))
    return file_fail(failure, "open the folder of", path);
  file->folder = open_folder(folder);
  if (file->folder < 0)
    return file_fail(failure, "open the folder", folder);
  file->path = path;
  name_temporary(file->name, random);
  if (open_private(file))
    return true;
  file_fail(failure, "make a file in the folder", folder);
  if (file->fd >= 0)
    unlinkat(file->folder, file->name, 0);
  close_all(file);
  return false;
}

/* The temporary file's name says nothing to anybody; its folder does. */
static bool fail_in_folder(const File *file, Failure *failure) {
  char folder[PATH_MAX];
  int error = errno;
  if (!folder_of(file->path, folder, sizeof folder))
    snprintf(folder, sizeof folder, "%s", "?");
  errno = error;
  return file_fail(failure, "write a file in the folder", folder);
}

/* A hint; that it is not taken changes nothing but the speed. */
static void start_flush(File *file) {
  if (file->length - file->flushed < FLUSH_STEP)
    return;
  platform_start_write(file->fd, file->flushed, file->length - file->flushed);
  file->flushed = file->length;
}

bool file_append(File *file, const char *bytes, size_t length,
                 Failure *failure) {
  while (length > 0) {
    ssize_t written = write(file->fd, bytes, length);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return fail_in_folder(file, failure);
    bytes += written;
    length -= (size_t)written;
    file->length += written;
  }
  start_flush(file);
  return true;
}

bool file_restart(File *file, Failure *failure) {
  int result;
  do
    result = ftruncate(file->fd, 0);
  while (result != 0 && errno == EINTR);
  if (result != 0 || lseek(file->fd, 0, SEEK_SET) != 0)
    return fail_in_folder(file, failure);
  file->length = file->flushed = 0;
  return true;
}

static int sync_fd(int fd) {
  int result;
  do
    result = platform_sync(fd);
  while (result != 0 && errno == EINTR);
  return result;
}

static bool replace(const File *file, const char *name) {
  return renameat(file->folder, file->name, file->folder, name) == 0;
}

/* The last resort, for file systems that can neither rename without replacing
 * nor link (FAT, some that are mounted over a network, shared folders of
 * phones): an empty file takes the name, unless somebody has it, and is then
 * replaced by the whole one.  Between the two calls others see it empty. */
static bool reserve_and_replace(const File *file, const char *name) {
  int fd = open_temporary(file->folder, name);
  int error;
  if (fd < 0)
    return false;
  close(fd);
  if (replace(file, name))
    return true;
  error = errno;
  unlinkat(file->folder, name, 0);
  errno = error;
  return false;
}

/* Never replaces what is there: the first way that the file system can do. */
static bool publish(const File *file, const char *name) {
  if (platform_rename_new(file->folder, file->name, name) == 0)
    return true;
  if (!is_unsupported(errno))
    return false;
  if (linkat(file->folder, file->name, file->folder, name, 0) == 0) {
    unlinkat(file->folder, file->name, 0);
    return true;
  }
  return is_unsupported(errno) && reserve_and_replace(file, name);
}

/* Some file systems tell only now that the bytes could not be kept; some cannot
 * rename or remove a file that is open. */
static bool close_file(File *file) {
  int fd = file->fd;
  file->fd = -1;
  return close(fd) == 0 || errno == EINTR;
}

/* Whether what has the name is, by `same`, what was to get it.  What is no
 * regular file is never waited for, nor followed.  Flushed like our own: who
 * wrote it may have been killed before he did that. */
static bool is_there_already(const File *file, const char *name,
                             FileSame *same) {
  struct stat info;
  int there = open_patiently(file->folder, name,
                             O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  int ours = there < 0 ? -1
                       : open_patiently(file->folder, file->name,
                                        O_RDONLY | O_NOFOLLOW);
  bool ok = ours >= 0 && fstat(there, &info) == 0 && S_ISREG(info.st_mode) &&
            same(there, ours) && sync_fd(there) == 0;
  if (there >= 0)
    close(there);
  if (ours >= 0)
    close(ours);
  return ok;
}

/* Gives the file its name; without `overwrite` only where that is free. */
static bool take_name(const File *file, const char *name, bool overwrite,
                      FileSame *same) {
  if (overwrite)
    return replace(file, name);
  if (publish(file, name))
    return true;
  if (errno != EEXIST)
    return false;
  if (is_there_already(file, name, same)) {
    unlinkat(file->folder, file->name, 0);
    return true;
  }
  errno = EEXIST;
  return false;
}

bool file_commit(File *file, const char *path, bool overwrite, FileSame *same,
                 Failure *failure) {
  const char *name = name_of(path);
  bool ok = true;
  if (fchmod(file->fd, file->mode) != 0 && !is_unsupported(errno))
    ok = file_fail(failure, "set the permissions of", path);
  if (ok && sync_fd(file->fd) != 0)
    ok = file_fail(failure, "write", path);
  if (ok && !close_file(file))
    ok = file_fail(failure, "write", path);
  if (ok && !take_name(file, name, overwrite, same))
    ok = file_fail(failure, "create", path);
  if (!ok) {
    file_abandon(file);
    return false;
  }
  /* Some file systems cannot sync a folder; the file is there all the same. */
  if (sync_fd(file->folder) != 0 && errno != EINVAL && errno != EROFS)
    ok = file_fail(failure, "record the name of", path);
  close_all(file);
  return ok;
}

void file_abandon(File *file) {
  if (file->fd >= 0)
    close_file(file);
  if (file->folder >= 0) /* what has its name is closed: file_commit */
    unlinkat(file->folder, file->name, 0);
  close_all(file);
}

/* ---- before there is anything to write ---- */

static void cut_slashes(char *folder) {
  size_t length = strlen(folder);
  while (length > 1 && folder[length - 1] == '/')
    length--;
  folder[length] = '\0';
}

/* The nearest folder on the way to `folder` that is there, `*whole` when that
 * is all of it: what is behind it is made when the file is.  `folder` is cut to
 * its name, which is "" for the current one. */
static int open_nearest(char *folder, bool *whole) {
  struct stat info;
  char *slash;
  int fd;
  for (*whole = true;; *whole = false) {
    fd = open_patiently(AT_FDCWD, *folder ? folder : ".",
                        O_RDONLY | O_DIRECTORY);
    if (fd >= 0 || errno != ENOENT || !*folder || strcmp(folder, "/") == 0)
      return fd;
    cut_slashes(folder);
    if (lstat(folder, &info) == 0) { /* a link that leads nowhere */
      errno = ENOENT;
      return -1;
    }
    slash = strrchr(folder, '/');
    folder[slash ? slash + 1 - folder : 0] = '\0';
  }
}

/* One byte, written and thrown away, knows more than permissions tell: quotas,
 * full disks, file systems that are read-only or not for files. */
static bool can_write(int folder, uint64_t random) {
  char name[FILE_NAME_SIZE];
  ssize_t written;
  int fd;
  bool ok;
  name_temporary(name, random);
  fd = open_temporary(folder, name);
  if (fd < 0)
    return false;
  do
    written = write(fd, "x", 1);
  while (written < 0 && errno == EINTR);
  ok = written == 1;
  if (close(fd) != 0)
    ok = false;
  unlinkat(folder, name, 0);
  return ok;
}

static bool fits(int folder, const char *name) {
  long most = fpathconf(folder, _PC_NAME_MAX);
  if (most < 0 || strlen(name) <= (size_t)most)
    return true;
  errno = ENAMETOOLONG;
  return false;
}

/* What is at the name already would be in the way. */
static bool is_free(int folder, const FileTarget *target) {
  struct stat info;
  if (fstatat(folder, target->name, &info, AT_SYMLINK_NOFOLLOW) != 0)
    return true;
  if (target->overwrite && !S_ISDIR(info.st_mode))
    return true;
  errno = target->overwrite ? EISDIR : EEXIST;
  return false;
}

bool file_check(const FileTarget *target, uint64_t random, Failure *failure) {
  char folder[PATH_MAX], path[PATH_MAX];
  bool whole;
  int fd;
  if (strlen(target->folder) >= sizeof folder) {
    errno = ENAMETOOLONG;
    return file_fail(failure, "open the folder", target->folder);
  }
  snprintf(folder, sizeof folder, "%s", target->folder);
  fd = open_nearest(folder, &whole);
  if (fd < 0)
    return file_fail(failure, "open the folder", *folder ? folder : ".");
  snprintf(path, sizeof path, "%s%s", target->folder, target->name);
  if (!fits(fd, target->name) ||
      (whole && target->exact && !is_free(fd, target)))
    file_fail(failure, "create", path);
  else if (!can_write(fd, random))
    file_fail(failure, "make a file in the folder", *folder ? folder : ".");
  close(fd);
  return !failure->kind;
}
