/*
 * A file that appears whole or not at all.
 *
 * Bytes go to a temporary file (0600, never through a symbolic link) in the
 * target's folder; commit makes them durable and gives them their name.  One
 * thread at a time.
 */
#ifndef GPTIMAGE2_ENGINE_FILE_H
#define GPTIMAGE2_ENGINE_FILE_H

#include "engine/base/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FILE_NAME_SIZE 40 /* bytes of a temporary file's name */

typedef struct File {
  int folder; /* descriptor, -1 = not open */
  int fd;     /* descriptor of the temporary file, -1 = not open */
  int64_t length;
  int64_t flushed;  /* bytes whose write to the disk has been started */
  mode_t mode;      /* of the whole file */
  const char *path; /* the caller's, for messages */
  char name[FILE_NAME_SIZE]; /* of the temporary file */
} File;

#define FILE_CLOSED ((File){.folder = -1, .fd = -1})

/* Opens a temporary file in the folder of `path`, which is made (with its
 * parents) where it is missing; `path` stays as it is until the file is closed.
 * `random` makes the name unique.  False, with `failure` of kind io, when that
 * does not work. */
bool file_open(File *file, const char *path, uint64_t random, Failure *failure);

bool file_append(File *file, const char *bytes, size_t length,
                 Failure *failure);

/* Throws the bytes so far away, to begin again. */
bool file_restart(File *file, Failure *failure);

/* Whether the regular file that is open as `there` is what was to be written,
 * which is open as `ours`: see twin.h. */
typedef bool FileSame(int there, int ours);

/* Makes the bytes durable under the last part of `path`, and closes.  Without
 * `overwrite` an existing file stays as it is: that is well when it is the
 * `same`, else io/file_exists.  A symbolic link at `path` is replaced, never
 * followed. */
bool file_commit(File *file, const char *path, bool overwrite, FileSame *same,
                 Failure *failure);

/* Removes the temporary file, if there is one, and closes. */
void file_abandon(File *file);

/* Where a file is to be, one day. */
typedef struct FileTarget {
  const char *folder; /* "" or with a slash at its end */
  const char *name;
  bool exact; /* it will be that very name; else only its length tells */
  bool overwrite;
} FileTarget;

/* False, with `failure` of kind io, when it is certain already that a file
 * cannot be written there: something is in the way, the name is too long, the
 * folder cannot be had or written to.  Leaves nothing behind. */
bool file_check(const FileTarget *target, uint64_t random, Failure *failure);

#endif
