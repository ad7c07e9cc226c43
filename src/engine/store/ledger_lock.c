/* The lock of a ledger: see ledger_lock.h. */
#include "ledger_lock.h"

#include "engine/base/platform.h"
#include "engine/files/file_lock.h"
#include "ledger_file.h"
#include "ledger_share.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Milliseconds for which those who open or close the ledger are waited for:
 * with it, and before it is given back.  Many may come at once to a slow disk,
 * and the first one may have to bring a large file up to date; it is given up
 * for one who was stopped in there. */
#define OPENING 30000
#define CLOSING 200

/* A file that this process has open: one for each, whoever uses it. */
struct LedgerLock {
  dev_t device;
  ino_t inode;
  ino_t log;        /* of "<path>-wal"; 0 = not known */
  int fd;           /* of the file; -1 = nobody spent on it yet */
  int old_fd;       /* of "<path>.lock" */
  bool spent_on;    /* somebody spends on it, or is about to */
  bool shared;      /* and others may */
  uint32_t worker;  /* whose number this is */
  bool made_old;    /* "<path>.lock" was not there before */
  bool forked;      /* this is a child: it is the parent's */
  unsigned readers; /* connections that only read */
  atomic_bool damaged;
  LedgerLock *next;
};

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static LedgerLock *open_files; /* under the guard */
static LedgerLock *inherited;  /* that were open when this process was forked */

/* ---- forks ---- */

static void before_fork(void) {
  pthread_mutex_lock(&guard);
}

static void after_fork(void) {
  pthread_mutex_unlock(&guard);
}

static void close_fd(int *fd) {
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

/* Closing does not unlock while the parent has its own copy.  What there is
 * stays allocated: its owners may look at it, and do nothing. */
static void in_child(void) {
  LedgerLock **last = &open_files;
  for (; *last; last = &(*last)->next) {
    (*last)->forked = true;
    close_fd(&(*last)->fd);
    close_fd(&(*last)->old_fd);
  }
  *last = inherited;
  inherited = open_files;
  open_files = NULL;
  pthread_mutex_unlock(&guard);
}

static void watch_forks(void) {
  pthread_atfork(before_fork, after_fork, in_child);
}

/* ---- the list ---- */

static LedgerLock *find(LedgerLock *lock, const struct stat *info) {
  while (lock && (lock->device != info->st_dev || lock->inode != info->st_ino))
    lock = lock->next;
  return lock;
}

/* The one for this file, made where there is none; the guard is held. */
static LedgerLock *get(const struct stat *info) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  LedgerLock *lock = find(open_files, info);
  pthread_once(&once, watch_forks);
  if (lock)
    return lock;
  lock = malloc(sizeof *lock);
  if (!lock)
    return NULL;
  *lock = (LedgerLock){.device = info->st_dev,
                       .inode = info->st_ino,
                       .fd = -1,
                       .old_fd = -1,
                       .next = open_files};
  open_files = lock;
  return lock;
}

/* Frees it unless somebody uses it; the guard is held. */
static void put(LedgerLock *lock) {
  LedgerLock **place = &open_files;
  if (lock->spent_on || lock->readers)
    return;
  while (*place != lock)
    place = &(*place)->next;
  *place = lock->next;
  close_fd(&lock->fd);
  free(lock);
}

/* ---- taking it ---- */

static bool cannot_lock(Failure *failure, const char *path, int error) {
  ledger_file_refuse_errno(failure, path, "locked", error);
  return false;
}

static bool is_locked(Failure *failure, const char *path) {
  failure_set(failure, "ledger", "ledger_locked",
              "somebody spends on the ledger '%.300s' already, with whom it "
              "cannot be shared: another client of this process or of the one "
              "that it was forked from, one that has it alone, or one of "
              "another system or version (any number may read)",
              path);
  return false;
}

static int open_file(const char *path, int flags) {
  int fd;
  do
    fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0600);
  while (fd < 0 && errno == EINTR);
  return fd;
}

/* What a lock came to: an errno, or 0. */
static bool is_taken(int error, const char *path, Failure *failure) {
  if (error == EAGAIN)
    return is_locked(failure, path);
  return error == 0 || cannot_lock(failure, path, error);
}

/* True when the descriptor is of the file that was looked at. */
static bool is_of(int fd, const LedgerLock *lock) {
  struct stat info;
  return fstat(fd, &info) == 0 && info.st_dev == lock->device &&
         info.st_ino == lock->inode;
}

/* The descriptor, and that nobody else of this process spends; the guard is
 * held. */
static bool reserve(LedgerLock *lock, const char *path, bool alone,
                    const struct stat *info, Failure *failure) {
  if (lock->spent_on || find(inherited, info)) /* before it is opened: see
                                                  ledger_lock.h about closing */
    return is_locked(failure, path);
  if (lock->fd < 0)
    lock->fd = open_file(path, 0);
  if (lock->fd < 0)
    return cannot_lock(failure, path, errno);
  if (!is_of(lock->fd, lock)) {
    close_fd(&lock->fd);
    return cannot_lock(failure, path, EAGAIN);
  }
  if (platform_is_mounted(lock->fd)) {
    ledger_file_refuse(failure, "ledger_elsewhere", path,
                       "is mounted by itself, and SQLite's log beside it is "
                       "not: mount its folder");
    return false;
  }
  lock->shared = !alone && ledger_share_can(lock->fd);
  lock->spent_on = true;
  return true;
}

/* Beside others, inside of the gate: none of them takes the file away now. */
static bool join(LedgerLock *lock, const char *path, Failure *failure) {
  int error;
  struct stat info;
  if (lstat(path, &info) != 0 || info.st_dev != lock->device ||
      info.st_ino != lock->inode)
    return cannot_lock(failure, path, EAGAIN);
  if (!is_taken(ledger_share_spend(lock->fd), path, failure))
    return false;
  error = ledger_share_tell_name(lock->fd, path);
  if (error == EAGAIN) {
    ledger_file_refuse(failure, "ledger_elsewhere", path,
                       "is open under another name, which SQLite does not "
                       "survive: all must name the same file in the same "
                       "folder");
    return false;
  }
  return is_taken(error, path, failure) &&
         is_taken(ledger_share_draw(lock->fd, &lock->worker), path, failure);
}

/* Somebody who opens it may take a while; nobody is kept from forking. */
static bool take(LedgerLock *lock, const char *path, Failure *failure) {
  if (!lock->shared)
    return is_taken(ledger_share_spend_alone(lock->fd), path, failure);
  return is_taken(ledger_share_enter_gate(lock->fd, OPENING), path, failure) &&
         join(lock, path, failure);
}

LedgerLock *ledger_lock(const char *path, const struct stat *info, bool alone,
                        Failure *failure) {
  LedgerLock *lock;
  bool ok;
  pthread_mutex_lock(&guard);
  lock = get(info);
  ok = lock ? reserve(lock, path, alone, info, failure)
            : cannot_lock(failure, path, ENOMEM);
  if (lock && !ok)
    put(lock);
  pthread_mutex_unlock(&guard);
  if (!ok || take(lock, path, failure))
    return ok ? lock : NULL;
  ledger_unlock(lock, false);
  return NULL;
}

bool ledger_lock_old(LedgerLock *lock, const char *path, bool current,
                     Failure *failure) {
  short type = lock->shared && current ? F_RDLCK : F_WRLCK;
  char name[PATH_MAX];
  if (snprintf(name, sizeof name, "%s.lock", path) >= (int)sizeof name)
    return cannot_lock(failure, path, ENAMETOOLONG);
  lock->old_fd = open_file(name, O_CREAT | O_EXCL);
  lock->made_old = lock->old_fd >= 0;
  if (lock->old_fd < 0 && errno == EEXIST)
    lock->old_fd = open_file(name, 0);
  if (lock->old_fd < 0)
    return cannot_lock(failure, path, errno);
  return is_taken(file_lock(lock->old_fd, type, 0, 0), path, failure);
}

void ledger_lock_opened(LedgerLock *lock) {
  if (!lock->shared)
    return;
  file_lock(lock->old_fd, F_RDLCK, 0, 0);
  ledger_share_leave_gate(lock->fd);
}

bool ledger_lock_is_shared(const LedgerLock *lock) {
  return lock->shared;
}

bool ledger_lock_is_last(LedgerLock *lock) {
  return !lock->shared || (ledger_share_enter_gate(lock->fd, CLOSING) == 0 &&
                           ledger_share_is_last(lock->fd));
}

void ledger_lock_worker(const LedgerLock *lock, char name[LEDGER_WORKER_MAX]) {
  if (lock->shared)
    ledger_share_name_worker(lock->worker, name);
  else
    name[0] = '\0';
}

bool ledger_lock_is_alive(LedgerLock *lock, const char *worker) {
  bool alive;
  pthread_mutex_lock(&guard);
  alive =
      lock->shared && lock->fd >= 0 && ledger_share_is_alive(lock->fd, worker);
  pthread_mutex_unlock(&guard);
  return alive;
}

bool ledger_lock_made_old(const LedgerLock *lock) {
  return lock->made_old;
}

bool ledger_lock_claim(LedgerLock *lock) {
  struct stat info;
  if (fstat(lock->fd, &info) != 0 || info.st_size != 0)
    return false;
  (void)fchmod(lock->fd, 0600); /* there are file systems without modes */
  return true;
}

/* The inode of "<path>-wal", 0 where there is none. */
static ino_t log_of(const char *path) {
  char name[PATH_MAX];
  struct stat info;
  if (snprintf(name, sizeof name, "%s-wal", path) >= (int)sizeof name ||
      lstat(name, &info) != 0)
    return 0;
  return info.st_ino;
}

void ledger_lock_watch_log(LedgerLock *lock, const char *path) {
  lock->log = log_of(path);
}

bool ledger_lock_in_place(const LedgerLock *lock, const char *path,
                          Failure *failure) {
  struct stat info;
  if (lstat(path, &info) != 0 || info.st_dev != lock->device ||
      info.st_ino != lock->inode || (lock->log && log_of(path) != lock->log))
    ledger_file_refuse(failure, "ledger_replaced", path,
                       "(or its log, -wal) was removed or replaced while it "
                       "was open: nothing more is spent");
  else if (info.st_nlink > 1)
    ledger_file_refuse(failure, "ledger_linked", path,
                       "was given another name (a hard link): nothing more is "
                       "spent");
  else if (atomic_load(&lock->damaged))
    ledger_file_refuse(failure, "ledger_damaged", path,
                       "is damaged: nothing more is spent");
  else
    return true;
  return false;
}

void ledger_lock_found_damage(LedgerLock *lock) {
  atomic_store(&lock->damaged, true);
}

LedgerLock *ledger_lock_join(const struct stat *info) {
  LedgerLock *lock;
  pthread_mutex_lock(&guard);
  lock = get(info);
  if (lock)
    lock->readers++;
  pthread_mutex_unlock(&guard);
  return lock;
}

void ledger_unlock(LedgerLock *lock, bool reader) {
  if (!lock || lock->forked)
    return;
  pthread_mutex_lock(&guard);
  if (reader) {
    lock->readers--;
  } else {
    close_fd(&lock->old_fd);
    ledger_share_leave(lock->fd);
    lock->spent_on = lock->shared = lock->made_old = false;
  }
  put(lock);
  pthread_mutex_unlock(&guard);
}
