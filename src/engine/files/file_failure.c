/* Why a file could not be written: see file_failure.h. */
#include "file_failure.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* What strerror_r gives: the text itself, or, as POSIX has it, a number once
 * the text is in its buffer. */
static inline const char *said_by_text(const char *text, const char *buffer) {
  (void)buffer;
  return text;
}

static inline const char *said_by_number(int number, const char *buffer) {
  return number == 0 ? buffer : "unknown error";
}

#define SAID_BY(result, buffer)                                                \
  _Generic((result), int                                                       \
           : said_by_number, default                                           \
           : said_by_text)(result, buffer)

/* What the caller may do about an error is told by its code. */
static const char *code_of(int error) {
  static const struct {
    int error;
    const char *code;
  } codes[] = {{ENOSPC, "disk_full"},        {EDQUOT, "disk_full"},
               {EFBIG, "disk_full"},         {EACCES, "permission_denied"},
               {EPERM, "permission_denied"}, {EROFS, "permission_denied"},
               {EEXIST, "file_exists"},      {ENAMETOOLONG, "path_too_long"},
               {ENOTDIR, "bad_place"},       {EISDIR, "bad_place"},
               {ELOOP, "bad_place"},         {EMFILE, "too_many_files"},
               {ENFILE, "too_many_files"},   {ENOMEM, "out_of_memory"}};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (codes[i].error == error)
      return codes[i].code;
  return "file_failed";
}

bool file_fail(Failure *failure, const char *doing, const char *path) {
  int error = errno;
  char said[128];
  failure_set(failure, "io", code_of(error), "cannot %s '%s': %s", doing, path,
              SAID_BY(strerror_r(error, said, sizeof said), said));
  return false;
}
