/*
 * A fresh folder for each test, and saving a file in it.
 */
#ifndef GPTIMAGE2_C_SAVING_H
#define GPTIMAGE2_C_SAVING_H

#include "folder.h"

#include "engine/files/file.h"
#include "engine/files/twin.h"

static Folder folder;

static inline int make_folder(void **state) {
  (void)state;
  folder_make(&folder);
  return 0;
}

static inline int remove_folder(void **state) {
  (void)state;
  folder_remove(&folder);
  return 0;
}

static inline void assert_failure(Failure *failure, const char *code) {
  assert_non_null(failure->kind);
  assert_string_equal(failure->kind, "io");
  assert_string_equal(failure->code, code);
  assert_non_null(failure->detail);
  failure_clear(failure);
}

/* Opens, writes `text`, commits. */
static inline bool save(const char *path, const char *text, bool overwrite,
                        Failure *failure) {
  File file;
  return file_open(&file, path, 0xab, failure) &&
         file_append(&file, text, strlen(text), failure) &&
         file_commit(&file, path, overwrite, twin_has_same_bytes, failure);
}

#endif
