/*
 * A fresh folder for the files of one test, and looking at what is in it.
 */
#ifndef GPTIMAGE2_C_FOLDER_H
#define GPTIMAGE2_C_FOLDER_H

#include "check.h"

#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Folder {
  char path[PATH_MAX];
} Folder;

static inline void folder_make(Folder *folder) {
  const char *base = getenv("TMPDIR");
  snprintf(folder->path, sizeof folder->path, "%s/gptimage2-test-XXXXXX",
           base ? base : P_tmpdir);
  check(mkdtemp(folder->path) != NULL, "cannot make %s", folder->path);
}

static inline int folder_remove_one(const char *path, const struct stat *info,
                                    int type, struct FTW *place) {
  (void)info, (void)type, (void)place;
  return remove(path);
}

static inline void folder_remove(const Folder *folder) {
  nftw(folder->path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of `name` in the folder, in a buffer of the caller. */
static inline const char *folder_path(const Folder *folder, const char *name,
                                      char path[PATH_MAX]) {
  int length = snprintf(path, PATH_MAX, "%s/%s", folder->path, name);
  check(length > 0 && length < PATH_MAX, "the path is too long");
  return path;
}

/* How many entries there are, "." and ".." aside. */
static inline unsigned folder_count(const Folder *folder) {
  DIR *entries = opendir(folder->path);
  unsigned count = 0;
  check(entries != NULL, "cannot read %s", folder->path);
  while (readdir(entries))
    count++;
  closedir(entries);
  return count - 2;
}

/* True when the file holds exactly `text`. */
static inline bool file_holds(const char *path, const char *text) {
  char found[4096];
  FILE *file = fopen(path, "rb");
  size_t length = file ? fread(found, 1, sizeof found, file) : 0;
  if (!file)
    return false;
  fclose(file);
  return length == strlen(text) && memcmp(found, text, length) == 0;
}

static inline void file_put(const char *path, const char *text) {
  FILE *file = fopen(path, "wb");
  check(file != NULL, "cannot write %s", path);
  fputs(text, file);
  fclose(file);
}

#endif
