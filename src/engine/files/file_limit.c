/* The signal of a limit on file sizes: see file_limit.h. */
#include "file_limit.h"

#include "engine/base/platform.h"

#include <errno.h>
#include <stddef.h>

static sigset_t signal_of_limit(void) {
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, SIGXFSZ);
  return only;
}

static bool is_pending(void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
}

void file_limit_hold(FileLimit *limit) {
  sigset_t only = signal_of_limit();
  limit->pending = is_pending();
  pthread_sigmask(SIG_BLOCK, &only, &limit->before);
}

/* It is raised for the thread that wrote: nobody else can have taken it. */
void file_limit_release(const FileLimit *limit) {
  sigset_t only = signal_of_limit();
  int error = errno;
  if (!limit->pending && is_pending())
    platform_take_signal(&only);
  pthread_sigmask(SIG_SETMASK, &limit->before, NULL);
  errno = error;
}
