/*
 * The lock of a ledger: see ledger_lock.h.
 *
 * A POSIX record lock on a file of its own.  It goes with the process, however
 * that ends, and a forked child does not have it.  The same process would get
 * it twice (and lose it with the first close), so a list keeps count.
 */
#include "ledger_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static LedgerLock *held; /* under the guard */

static bool is_held_here(const struct stat *info) {
  for (const LedgerLock *lock = held; lock; lock = lock->next)
    if (lock->device == info->st_dev && lock->inode == info->st_ino)
      return true;
  return false;
}

static bool fail(Failure *failure, const char *path, const char *why) {
  failure_set(failure, "ledger", "ledger_unopenable",
              "the ledger '%.300s' cannot be locked: %s", path, why);
  return false;
}

static bool locked(Failure *failure, const char *path) {
  failure_set(failure, "ledger", "ledger_locked",
              "somebody spends on the ledger '%.300s' already: one client at a "
              "time may (any number may read)",
              path);
  return false;
}

/* Opens and locks the file; the guard is held. */
static bool take(LedgerLock *lock, const char *path, const char *name,
                 Failure *failure) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  struct stat info;
  int result;
  /* Before it is opened: closing a second descriptor would free the lock. */
  if (stat(name, &info) == 0 && is_held_here(&info))
    return locked(failure, path);
  do
    lock->fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  while (lock->fd < 0 && errno == EINTR);
  if (lock->fd < 0 || fstat(lock->fd, &info) != 0)
    return fail(failure, path, strerror(errno));
  do
    result = fcntl(lock->fd, F_SETLK, &whole);
  while (result != 0 && errno == EINTR);
  if (result != 0)
    return errno == EACCES || errno == EAGAIN
               ? locked(failure, path)
               : fail(failure, path, strerror(errno));
  lock->device = info.st_dev;
  lock->inode = info.st_ino;
  lock->next = held;
  held = lock;
  return true;
}

bool ledger_lock(LedgerLock *lock, const char *path, Failure *failure) {
  char name[PATH_MAX];
  bool ok;
  *lock = (LedgerLock){.fd = -1};
  if (snprintf(name, sizeof name, "%s.lock", path) >= (int)sizeof name)
    return fail(failure, path, "its path is too long");
  pthread_mutex_lock(&guard);
  ok = take(lock, path, name, failure);
  if (!ok && lock->fd >= 0) {
    close(lock->fd);
    lock->fd = -1;
  }
  pthread_mutex_unlock(&guard);
  return ok;
}

void ledger_unlock(LedgerLock *lock) {
  if (lock->fd < 0)
    return;
  pthread_mutex_lock(&guard);
  for (LedgerLock **place = &held; *place; place = &(*place)->next)
    if (*place == lock) {
      *place = lock->next;
      break;
    }
  close(lock->fd);
  lock->fd = -1;
  pthread_mutex_unlock(&guard);
}
