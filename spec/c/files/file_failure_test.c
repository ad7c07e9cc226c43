/* Files on a system that fails, or cannot do what others can: what is told,
 * what is left, and what is durable. */
#include "saving.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* write and fsync stand in front of the C library's, to do worse than it. */
static bool short_writes; /* three bytes at a time, interrupted in between */
static int failing_write; /* the error of every write, 0 = none */
static int failing_sync;  /* the same for fsync */
static int failing_noreplace; /* of renameat2 */
static int failing_link;      /* of linkat */
static int failing_replace;   /* of renameat */
static int failing_close;
static const char *watched; /* a path */
static char syncs[8]; /* a letter an fsync: f(ile) without a name at `watched`,
                         n(amed file), d(irectory) with it */

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
ssize_t write(int fd, const void *bytes, size_t length) {
  static unsigned calls;
  if (failing_write) {
    errno = failing_write;
    return -1;
  }
  if (short_writes && calls++ % 2) {
    errno = EINTR;
    return -1;
  }
  return syscall(SYS_write, fd, bytes, short_writes && length > 3 ? 3 : length);
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int fsync(int fd) {
  struct stat info;
  bool named = watched && access(watched, F_OK) == 0;
  fstat(fd, &info);
  if (watched && strlen(syncs) + 1 < sizeof syncs)
    syncs[strlen(syncs)] =
        S_ISDIR(info.st_mode) ? (named ? 'd' : '?') : (named ? 'n' : 'f');
  if (failing_sync) {
    errno = failing_sync;
    return -1;
  }
  return (int)syscall(SYS_fsync, fd);
}

static int result(int error, long done) {
  if (error) {
    errno = error;
    return -1;
  }
  return (int)done;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int renameat2(int from, const char *old, int to, const char *name,
              unsigned flags) {
  return result(failing_noreplace,
                failing_noreplace
                    ? 0
                    : syscall(SYS_renameat2, from, old, to, name, flags));
}

int linkat(int from, const char *old, int to, const char *name, int flags) {
  return result(failing_link,
                failing_link ? 0
                             : syscall(SYS_linkat, from, old, to, name, flags));
}

int renameat(int from, const char *old, int to, const char *name) {
  return result(
      failing_replace,
      failing_replace ? 0 : syscall(SYS_renameat2, from, old, to, name, 0));
}

int close(int fd) {
  return result(failing_close, syscall(SYS_close, fd));
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

static int make_sound_folder(void **state) {
  short_writes = false;
  failing_write = failing_sync = failing_close = 0;
  failing_noreplace = failing_link = failing_replace = 0;
  watched = NULL;
  memset(syncs, 0, sizeof syncs);
  return make_folder(state);
}

static void assert_says(const Failure *failure, const char *text) {
  assert_non_null(failure->detail);
  check(strstr(failure->detail, text) != NULL, "'%s' does not say '%s'",
        failure->detail, text);
}

static void short_writes_are_continued(void **state) {
  char path[PATH_MAX];
  Failure failure = {0};
  (void)state;
  short_writes = true;
  assert_true(save(folder_path(&folder, "a", path), "one after another", false,
                   &failure));
  assert_true(file_holds(path, "one after another"));
}

static void a_write_that_fails_is_told_and_leaves_nothing(void **state) {
  static const struct {
    int error;
    const char *code;
  } rows[] = {{ENOSPC, "disk_full"},        {EDQUOT, "disk_full"},
              {EFBIG, "disk_full"},         {EACCES, "permission_denied"},
              {EROFS, "permission_denied"}, {ENOTDIR, "bad_place"},
              {EISDIR, "bad_place"},        {ELOOP, "bad_place"},
              {EMFILE, "too_many_files"},   {ENFILE, "too_many_files"},
              {ENOMEM, "out_of_memory"},    {EIO, "file_failed"}};
  char path[PATH_MAX];
  Failure failure = {0};
  File file;
  (void)state;
  folder_path(&folder, "a", path);
  for (size_t i = 0; i < COUNT(rows); i++) {
    assert_true(file_open(&file, path, 1, &failure));
    failing_write = rows[i].error;
    assert_false(file_append(&file, "bytes", 5, &failure));
    assert_says(&failure, folder.path);
    assert_says(&failure, strerror(rows[i].error));
    assert_failure(&failure, rows[i].code);
    failing_write = 0;
    file_abandon(&file);
    assert_int_equal(folder_count(&folder), 0);
  }
}

static void bytes_are_durable_before_they_have_a_name(void **state) {
  char path[PATH_MAX];
  Failure failure = {0};
  (void)state;
  folder_path(&folder, "a", path);
  watched = path;
  assert_true(save(path, "x", false, &failure));
  assert_string_equal(syncs, "fd"); /* the file, nameless; then the folder */
  failing_sync = EIO;
  assert_false(save(path, "y", true, &failure));
  assert_failure(&failure, "file_failed");
  assert_true(file_holds(path, "x"));
  assert_int_equal(folder_count(&folder), 1);
}

/* The ways of file systems that cannot do what others can. */
static const struct {
  int noreplace, link; /* errors, 0 = it can */
} ways[] = {{0, 0},          {EINVAL, 0},          {ENOSYS, 0},
            {EINVAL, EPERM}, {EINVAL, EOPNOTSUPP}, {ENOSYS, ENOSYS},
            {EPERM, EACCES}, {EOPNOTSUPP, EMLINK}};

static void what_is_there_stays_on_every_file_system(void **state) {
  char path[PATH_MAX], link[PATH_MAX], nowhere[PATH_MAX];
  Failure failure = {0};
  (void)state;
  folder_path(&folder, "a", path);
  folder_path(&folder, "link", link);
  folder_path(&folder, "nowhere", nowhere);
  assert_int_equal(symlink(nowhere, link), 0);
  for (size_t i = 0; i < COUNT(ways); i++) {
    failing_noreplace = ways[i].noreplace;
    failing_link = ways[i].link;
    check(save(path, "new", false, &failure), "row %zu: %s", i,
          failure.detail ? failure.detail : "");
    assert_true(file_holds(path, "new"));
    assert_int_equal(folder_count(&folder), 2);
    assert_false(save(path, "newer", false, &failure));
    assert_failure(&failure, "file_exists");
    assert_true(file_holds(path, "new"));
    assert_false(save(link, "newer", false, &failure));
    assert_failure(&failure, "file_exists");
    assert_int_not_equal(access(nowhere, F_OK), 0);
    assert_true(save(path, "newest", true, &failure));
    assert_true(file_holds(path, "newest"));
    assert_int_equal(folder_count(&folder), 2);
    assert_int_equal(unlink(path), 0);
  }
}

static void what_cannot_be_published_leaves_nothing(void **state) {
  static const struct {
    int noreplace, link, replace, close;
    const char *code;
  } rows[] = {
#ifndef GPTIMAGE2_POSIX
      {EIO, 0, 0, 0, "file_failed"},
#endif
      {EINVAL, ENOSPC, 0, 0, "disk_full"},
      {EINVAL, EPERM, EIO, 0, "file_failed"},
      {EINVAL, EPERM, EROFS, 0, "permission_denied"},
      {0, 0, 0, EDQUOT, "disk_full"}};
  char path[PATH_MAX];
  Failure failure = {0};
  (void)state;
  folder_path(&folder, "a", path);
  for (size_t i = 0; i < COUNT(rows); i++) {
    failing_noreplace = rows[i].noreplace;
    failing_link = rows[i].link;
    failing_replace = rows[i].replace;
    failing_close = rows[i].close;
    assert_false(save(path, "x", false, &failure));
    assert_failure(&failure, rows[i].code);
    failing_close = 0;
    check(folder_count(&folder) == 0, "row %zu left something", i);
  }
}

/* What file_check says of `name` below the folder: a code, or NULL. */
static const char *checked(const char *below, const char *name, bool exact,
                           bool overwrite) {
  static Failure failure;
  char path[PATH_MAX];
  FileTarget target = {.folder = folder_path(&folder, below, path),
                       .name = name,
                       .exact = exact,
                       .overwrite = overwrite};
  failure_clear(&failure);
  return file_check(&target, 0xab, &failure) ? NULL : failure.code;
}

static void assert_code(const char *code, const char *expected) {
  check(code && strcmp(code, expected) == 0, "%s, not %s", code ? code : "none",
        expected);
}

static void what_cannot_be_written_is_known_before(void **state) {
  char path[PATH_MAX], longest[300];
  (void)state;
  memset(longest, 'x', sizeof longest);
  longest[sizeof longest - 1] = '\0';
  assert_null(checked("", "a", true, false));
  assert_null(checked("b/c/", "a", true, false)); /* would be made */
  file_put(folder_path(&folder, "a", path), "mine");
  assert_int_equal(mkdir(folder_path(&folder, "d", path), 0777), 0);
  assert_code(checked("", "a", true, false), "file_exists");
  assert_null(checked("", "a", false, false)); /* may get another name */
  assert_null(checked("", "a", true, true));
  assert_code(checked("", "d", true, false), "file_exists");
  assert_code(checked("", "d", true, true), "bad_place");
  assert_code(checked("a/", "b", true, false), "bad_place");
  assert_code(checked("a/b/c/", "b", true, false), "bad_place");
  assert_code(checked("", longest, false, false), "path_too_long");
  assert_int_equal(symlink("nowhere", folder_path(&folder, "l", path)), 0);
  assert_code(checked("l/", "b", true, false), "file_failed");
  assert_code(checked("", "l", true, false), "file_exists");
  failing_write = ENOSPC;
  assert_code(checked("", "b", true, false), "disk_full");
  failing_write = 0;
  failing_close = EDQUOT;
  assert_code(checked("", "b", true, false), "disk_full");
  failing_close = 0;
  assert_int_equal(folder_count(&folder), 3);
  checked("", "b", true, false); /* clears its failure */
}

#define IN_FOLDER(test)                                                        \
  cmocka_unit_test_setup_teardown(test, make_sound_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_FOLDER(short_writes_are_continued),
      IN_FOLDER(a_write_that_fails_is_told_and_leaves_nothing),
      IN_FOLDER(bytes_are_durable_before_they_have_a_name),
      IN_FOLDER(what_is_there_stays_on_every_file_system),
      IN_FOLDER(what_cannot_be_published_leaves_nothing),
      IN_FOLDER(what_cannot_be_written_is_known_before),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
