/*
 * Locks on bytes of a file that hold as long as a descriptor is open, whatever
 * else this process opens and closes: open file description locks, which Linux
 * has.  Elsewhere they are POSIX locks, which the first close of any descriptor
 * of the file drops.  The two see each other.  A forked child must close its
 * copy of the descriptor: it holds the lock too.
 */
#ifndef GPTIMAGE2_ENGINE_FILE_LOCK_H
#define GPTIMAGE2_ENGINE_FILE_LOCK_H

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static inline int file_lock_ask(int fd, int command, struct flock *lock) {
  int result;
  do
    result = fcntl(fd, command, lock);
  while (result != 0 && errno == EINTR);
  if (result == 0)
    return 0;
  return errno == EACCES ? EAGAIN : errno;
}

/* Sets `type` (F_RDLCK, F_WRLCK, F_UNLCK) on `length` bytes (0 = to the end,
 * however far that moves) from `start`, without waiting: 0, EAGAIN when
 * somebody else has a lock there that is in the way, or another errno. */
static inline int file_lock(int fd, short type, off_t start, off_t length) {
  struct flock lock = {
      .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
#ifdef F_OFD_SETLK
  int error = file_lock_ask(fd, F_OFD_SETLK, &lock);
  if (error != EINVAL) /* a kernel that knows no such lock */
    return error;
#endif
  return file_lock_ask(fd, F_SETLK, &lock);
}

/* Whether somebody else has a lock, of whichever type, on one of the bytes: 0,
 * EAGAIN, or another errno.  EINVAL where there are no locks of open files:
 * what is said of POSIX locks may be wrong a moment later. */
static inline int file_lock_look(int fd, off_t start, off_t length) {
#ifdef F_OFD_GETLK
  struct flock lock = {.l_type = F_WRLCK,
                       .l_whence = SEEK_SET,
                       .l_start = start,
                       .l_len = length};
  int error = file_lock_ask(fd, F_OFD_GETLK, &lock);
  return error || lock.l_type == F_UNLCK ? error : EAGAIN;
#else
  (void)fd, (void)start, (void)length;
  return EINVAL;
#endif
}

#endif
