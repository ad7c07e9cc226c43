/*
 * Writing on a thread of the host's where a limit on the size of files (ulimit
 * -f) may be met: the signal that would end the program is kept from it, and
 * the write fails with EFBIG.  The I/O thread has every signal blocked anyway.
 *
 * Between the two calls nothing of the host's own runs.
 */
#ifndef GPTIMAGE2_ENGINE_FILE_LIMIT_H
#define GPTIMAGE2_ENGINE_FILE_LIMIT_H

#include <signal.h>
#include <stdbool.h>

typedef struct FileLimit {
  sigset_t before;
  bool pending; /* one was there already: it is the host's */
} FileLimit;

void file_limit_hold(FileLimit *limit);

/* Takes back what our writes have raised; errno stays. */
void file_limit_release(const FileLimit *limit);

#endif
