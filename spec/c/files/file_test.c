/* Files that appear whole or not at all, and what they never touch. */
#include "saving.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY ".gptimage2-00000000000000ab.part"

static mode_t mode_of(const char *path) {
  struct stat info;
  check(lstat(path, &info) == 0, "%s is not there", path);
  return info.st_mode & 07777;
}

static void a_file_appears_when_it_is_whole(void **state) {
  char path[PATH_MAX];
  Failure failure = {0};
  File file;
  (void)state;
  folder_path(&folder, "a.png", path);
  assert_true(file_open(&file, path, 1, &failure));
  assert_true(file_append(&file, "some ", 5, &failure));
  assert_true(file_append(&file, "bytes", 5, &failure));
  assert_int_equal(file.length, 10);
  assert_int_not_equal(access(path, F_OK), 0);
  assert_int_equal(folder_count(&folder), 1);
  assert_true(file_commit(&file, path, false, twin_has_same_bytes, &failure));
  assert_true(file_holds(path, "some bytes"));
  assert_int_equal(folder_count(&folder), 1);
  assert_int_equal(file.fd, -1);
  assert_int_equal(file.folder, -1);
  file_abandon(&file); /* nothing is left to abandon */
  assert_true(file_holds(path, "some bytes"));
}

static void an_abandoned_file_leaves_nothing(void **state) {
  char path[PATH_MAX];
  Failure failure = {0};
  File file;
  (void)state;
  assert_true(file_open(&file, folder_path(&folder, "a", path), 1, &failure));
  assert_true(file_append(&file, "bytes", 5, &failure));
  file_abandon(&file);
  assert_int_equal(folder_count(&folder), 0);
  file_abandon(&file);
  assert_int_equal(file.fd, -1);
}

static void modes_follow_the_umask_once_the_file_is_whole(void **state) {
  static const struct {
    mode_t mask, mode;
  } rows[] = {{022, 0644}, {077, 0600}, {027, 0640}, {0, 0666}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    char path[PATH_MAX], temporary[PATH_MAX];
    Failure failure = {0};
    mode_t before = umask(rows[i].mask);
    struct rlimit limit;
    File file;
    folder_path(&folder, "a", path);
    folder_path(&folder, TEMPORARY, temporary);
    assert_true(file_open(&file, path, 0xab, &failure));
    assert_int_equal(mode_of(temporary), 0600);
    /* Nothing can be opened to learn them from, such as files of /proc. */
    getrlimit(RLIMIT_NOFILE, &limit);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, limit.rlim_max});
    assert_true(file_commit(&file, path, true, twin_has_same_bytes, &failure));
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(mode_of(path), rows[i].mode);
    umask(before);
  }
}

static void an_existing_file_stays_unless_it_may_be_replaced(void **state) {
  char path[PATH_MAX];
  Failure failure = {0};
  (void)state;
  folder_path(&folder, "a", path);
  file_put(path, "old");
  assert_false(save(path, "new", false, &failure));
  assert_failure(&failure, "file_exists");
  assert_true(file_holds(path, "old"));
  assert_int_equal(folder_count(&folder), 1);
  assert_true(save(path, "new", true, &failure));
  assert_true(file_holds(path, "new"));
  assert_int_equal(folder_count(&folder), 1);
}

static void a_link_at_the_name_is_never_followed(void **state) {
  char path[PATH_MAX], victim[PATH_MAX];
  Failure failure = {0};
  struct stat info;
  (void)state;
  folder_path(&folder, "link", path);
  file_put(folder_path(&folder, "victim", victim), "precious");
  assert_int_equal(symlink(victim, path), 0);
  assert_false(save(path, "new", false, &failure));
  assert_failure(&failure, "file_exists");
  assert_true(save(path, "new", true, &failure));
  assert_true(file_holds(victim, "precious"));
  assert_true(file_holds(path, "new"));
  assert_int_equal(lstat(path, &info), 0);
  assert_true(S_ISREG(info.st_mode));
}

static void a_dangling_link_counts_as_existing(void **state) {
  char path[PATH_MAX], nowhere[PATH_MAX];
  Failure failure = {0};
  (void)state;
  folder_path(&folder, "link", path);
  folder_path(&folder, "nowhere", nowhere);
  assert_int_equal(symlink(nowhere, path), 0);
  assert_false(save(path, "new", false, &failure));
  assert_failure(&failure, "file_exists");
  assert_int_not_equal(access(nowhere, F_OK), 0);
  assert_int_equal(folder_count(&folder), 1);
}

static void a_link_at_the_temporary_name_is_never_followed(void **state) {
  char path[PATH_MAX], temporary[PATH_MAX], victim[PATH_MAX];
  Failure failure = {0};
  File file;
  (void)state;
  folder_path(&folder, "a", path);
  file_put(folder_path(&folder, "victim", victim), "precious");
  assert_int_equal(symlink(victim, folder_path(&folder, TEMPORARY, temporary)),
                   0);
  assert_false(file_open(&file, path, 0xab, &failure));
  assert_non_null(failure.kind);
  failure_clear(&failure);
  assert_int_equal(file.fd, -1);
  assert_true(file_holds(victim, "precious"));
  file_abandon(&file); /* not ours: it stays */
  assert_int_equal(folder_count(&folder), 2);
}

static void missing_folders_are_made(void **state) {
  char path[PATH_MAX];
  Failure failure = {0};
  (void)state;
  assert_true(
      save(folder_path(&folder, "a/b//c/d.png", path), "x", false, &failure));
  assert_true(file_holds(path, "x"));
  assert_true(
      save(folder_path(&folder, "a/b/e.png", path), "y", false, &failure));
  assert_true(file_holds(path, "y"));
}

static void paths_that_cannot_be_are_told(void **state) {
  char path[PATH_MAX], longest[PATH_MAX + 100];
  Failure failure = {0};
  (void)state;
  file_put(folder_path(&folder, "file", path), "x");
  assert_false(save(folder_path(&folder, "file/a", path), "y", true, &failure));
  assert_failure(&failure, "bad_place");
  assert_false(
      save(folder_path(&folder, "file/b/a", path), "y", true, &failure));
  assert_failure(&failure, "bad_place");
  assert_false(save(folder_path(&folder, "new/", path), "y", true, &failure));
  assert_failure(&failure, "file_failed");
  memset(longest, 'x', sizeof longest);
  memcpy(longest, "./", 2);
  memcpy(longest + sizeof longest - 3, "/a", 3);
  assert_false(save(longest, "y", true, &failure));
  assert_failure(&failure, "path_too_long");
  assert_int_equal(folder_count(&folder), 2); /* "file" and "new" */
}

static void a_folder_at_the_name_stays(void **state) {
  char path[PATH_MAX];
  Failure failure = {0};
  (void)state;
  assert_int_equal(mkdir(folder_path(&folder, "a", path), 0777), 0);
  assert_false(save(path, "x", true, &failure));
  assert_failure(&failure, "bad_place");
  assert_false(save(path, "x", false, &failure));
  assert_failure(&failure, "file_exists");
  assert_int_equal(folder_count(&folder), 1);
}

static void a_path_without_a_folder_is_in_the_current_one(void **state) {
  char before[PATH_MAX], path[PATH_MAX];
  Failure failure = {0};
  bool saved;
  (void)state;
  assert_non_null(getcwd(before, sizeof before));
  assert_int_equal(chdir(folder.path), 0);
  saved = save("plain", "x", false, &failure);
  assert_int_equal(chdir(before), 0);
  assert_true(saved);
  assert_true(file_holds(folder_path(&folder, "plain", path), "x"));
}

static void a_restart_forgets_the_bytes_so_far(void **state) {
  char path[PATH_MAX];
  Failure failure = {0};
  File file;
  (void)state;
  folder_path(&folder, "a", path);
  assert_true(file_open(&file, path, 1, &failure));
  assert_true(file_append(&file, "a long beginning", 16, &failure));
  assert_true(file_restart(&file, &failure));
  assert_int_equal(file.length, 0);
  assert_true(file_append(&file, "short", 5, &failure));
  assert_int_equal(file.length, 5);
  assert_true(file_commit(&file, path, false, twin_has_same_bytes, &failure));
  assert_true(file_holds(path, "short"));
}

/* More than what is flushed at once. */
static void large_files_are_written_whole(void **state) {
  static char block[1 << 20];
  char path[PATH_MAX];
  Failure failure = {0};
  struct stat info;
  File file;
  FILE *saved;
  (void)state;
  folder_path(&folder, "a", path);
  assert_true(file_open(&file, path, 1, &failure));
  for (unsigned i = 0; i < 9; i++) {
    memset(block, (int)('a' + i), sizeof block);
    assert_true(file_append(&file, block, sizeof block, &failure));
  }
  assert_true(file_commit(&file, path, false, twin_has_same_bytes, &failure));
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_size, 9 << 20);
  saved = fopen(path, "rb");
  assert_non_null(saved);
  for (unsigned i = 0; i < 9; i++) {
    assert_int_equal(fread(block, 1, sizeof block, saved), sizeof block);
    assert_int_equal(block[0], 'a' + i);
    assert_int_equal(block[sizeof block - 1], 'a' + i);
  }
  fclose(saved);
}

static void descriptors_are_not_inherited(void **state) {
  char path[PATH_MAX];
  Failure failure = {0};
  File file;
  (void)state;
  assert_true(file_open(&file, folder_path(&folder, "a", path), 1, &failure));
  assert_true(fcntl(file.fd, F_GETFD) & FD_CLOEXEC);
  assert_true(fcntl(file.folder, F_GETFD) & FD_CLOEXEC);
  file_abandon(&file);
}

#define IN_FOLDER(test)                                                        \
  cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_FOLDER(a_file_appears_when_it_is_whole),
      IN_FOLDER(an_abandoned_file_leaves_nothing),
      IN_FOLDER(modes_follow_the_umask_once_the_file_is_whole),
      IN_FOLDER(an_existing_file_stays_unless_it_may_be_replaced),
      IN_FOLDER(a_link_at_the_name_is_never_followed),
      IN_FOLDER(a_dangling_link_counts_as_existing),
      IN_FOLDER(a_link_at_the_temporary_name_is_never_followed),
      IN_FOLDER(missing_folders_are_made),
      IN_FOLDER(paths_that_cannot_be_are_told),
      IN_FOLDER(a_folder_at_the_name_stays),
      IN_FOLDER(a_path_without_a_folder_is_in_the_current_one),
      IN_FOLDER(a_restart_forgets_the_bytes_so_far),
      IN_FOLDER(large_files_are_written_whole),
      IN_FOLDER(descriptors_are_not_inherited),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
