/* What counts as being there already: the same bytes, and sidecars of one job
 * that name the same files. */
#include "saving.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_with(const char *name, const char *bytes, size_t length) {
  char path[PATH_MAX];
  int fd =
      open(folder_path(&folder, name, path), O_RDWR | O_CREAT | O_TRUNC, 0600);
  check(fd >= 0 && write(fd, bytes, length) == (ssize_t)length &&
            lseek(fd, 0, SEEK_SET) == 0,
        "cannot write %s", path);
  return fd;
}

static bool judge(FileSame *same, const char *there, size_t length,
                  const char *ours, size_t our_length) {
  int one = open_with("one", there, length);
  int other = open_with("other", ours, our_length);
  bool found = same(one, other);
  close(one);
  close(other);
  return found;
}

static void bytes_are_compared_to_the_last(void **state) {
  static const size_t lengths[] = {0, 1, 2, 8191, 8192, 8193, 16384, 40000};
  static char one[40001], other[40001];
  (void)state;
  for (size_t i = 0; i < COUNT(lengths); i++) {
    size_t length = lengths[i];
    check(judge(twin_has_same_bytes, one, length, other, length), "%zu equal",
          length);
    check(!judge(twin_has_same_bytes, one, length + 1, other, length),
          "%zu and one more", length);
    check(!judge(twin_has_same_bytes, one, length, other, length + 1),
          "%zu and one less", length);
    if (length == 0)
      continue;
    other[length - 1] = 'x';
    check(!judge(twin_has_same_bytes, one, length, other, length),
          "%zu, the last is another", length);
    other[length - 1] = 0;
  }
}

/* What is written has this id and these files. */
#define OURS                                                                   \
  "{\"id\": \"j1\", \"request\": {\"prompt\": \"x\"}, \"results\": "           \
  "[{\"file\": \"a.png\", \"seed\": \"1\"}, {\"file\": \"b.png\"}]}\n"

static void sidecars_are_the_same_by_their_id_and_files(void **state) {
  static const struct {
    const char *there;
    bool same;
  } rows[] = {
      {OURS, true},
      {"{\"id\":\"j1\",\"results\":[{\"file\":\"a.png\"},{\"file\":\"b.png\"}]"
       "}",
       true},
      {"{\"elapsed\": 2, \"id\": \"j1\", \"metadata\": {\"id\": \"j9\", "
       "\"results\": [1]}, \"results\": [{\"file\": \"a.png\"}, {\"seed\": "
       "\"7\", \"file\": \"b.png\"}], \"more\": [1, {}]}",
       true},
      {"", false},
      {"mine", false},
      {"{}", false},
      {"[]", false},
      {"null", false},
      {"{\"id\": \"j1\"}", false},
      {"{\"id\": \"j1\", \"results\": []}", false},
      {"{\"id\": \"j1\", \"results\": {}}", false},
      {"{\"id\": \"j1\", \"results\": [[], []]}", false},
      {"{\"id\": \"j1\", \"results\": [{\"file\": \"a.png\"}]}", false},
      {"{\"id\": \"j1\", \"results\": [{\"file\": \"a.png\"}, {\"file\": "
       "\"c.png\"}]}",
       false},
      {"{\"id\": \"j1\", \"results\": [{\"file\": \"b.png\"}, {\"file\": "
       "\"a.png\"}]}",
       false},
      {"{\"id\": \"j1\", \"results\": [{\"file\": \"a.png\"}, {}]}", false},
      {"{\"id\": \"j1\", \"results\": [{\"file\": \"a.png\"}, {\"file\": "
       "\"b.png\"}, {\"file\": \"c.png\"}]}",
       false},
      {"{\"id\": \"j2\", \"results\": [{\"file\": \"a.png\"}, {\"file\": "
       "\"b.png\"}]}",
       false},
      {"{\"id\": 1, \"results\": [{\"file\": \"a.png\"}, {\"file\": "
       "\"b.png\"}]}",
       false},
      {"{\"results\": [{\"file\": \"a.png\"}, {\"file\": \"b.png\"}]}", false},
      /* not whole, or not JSON behind what was looked at */
      {"{\"id\": \"j1\", \"results\": [{\"file\": \"a.png\"}, {\"file\": "
       "\"b.png\"}]",
       false},
      {"{\"id\": \"j1\", \"results\": [{\"file\": \"a.png\"}, {\"file\": "
       "\"b.png\"}",
       false},
      {"{\"id\": \"j1\", \"results\": [{\"file\": \"a.png\"}, {\"file\": "
       "\"b.png\"}]} mine",
       false},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    check(judge(twin_is_same_sidecar, rows[i].there, strlen(rows[i].there),
                OURS, strlen(OURS)) == rows[i].same,
          "%s", rows[i].there);
}

/* Nobody waits for what is read there, whoever put it there. */
static void what_is_too_large_is_no_sidecar(void **state) {
  size_t length = (size_t)2 << 20;
  char *text = malloc(length);
  (void)state;
  assert_non_null(text);
  memset(text, ' ', length);
  memcpy(text, OURS, strlen(OURS));
  assert_true(
      judge(twin_is_same_sidecar, text, length / 4, OURS, strlen(OURS)));
  assert_false(judge(twin_is_same_sidecar, text, length, OURS, strlen(OURS)));
  free(text);
}

/* ---- what file_commit makes of it ---- */

static void the_same_file_is_no_conflict(void **state) {
  char path[PATH_MAX];
  Failure failure = {0};
  struct stat before, after;
  (void)state;
  file_put(folder_path(&folder, "a", path), "bytes");
  assert_int_equal(stat(path, &before), 0);
  assert_true(save(path, "bytes", false, &failure));
  assert_int_equal(stat(path, &after), 0);
  assert_int_equal(before.st_ino, after.st_ino); /* left as it was */
  assert_int_equal(folder_count(&folder), 1);
  assert_false(save(path, "bytez", false, &failure));
  assert_failure(&failure, "file_exists");
  assert_false(save(path, "bytes and more", false, &failure));
  assert_failure(&failure, "file_exists");
  assert_true(file_holds(path, "bytes"));
  assert_int_equal(folder_count(&folder), 1);
}

/* A link to the same bytes is no file of ours; a pipe is not waited for. */
static void only_a_regular_file_can_be_the_same(void **state) {
  char path[PATH_MAX], other[PATH_MAX];
  Failure failure = {0};
  (void)state;
  file_put(folder_path(&folder, "other", other), "bytes");
  folder_path(&folder, "link", path);
  assert_int_equal(symlink(other, path), 0);
  assert_false(save(path, "bytes", false, &failure));
  assert_failure(&failure, "file_exists");
  folder_path(&folder, "pipe", path);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_false(save(path, "", false, &failure));
  assert_failure(&failure, "file_exists");
  folder_path(&folder, "folder", path);
  assert_int_equal(mkdir(path, 0700), 0);
  assert_false(save(path, "bytes", false, &failure));
  assert_failure(&failure, "file_exists");
  assert_int_equal(folder_count(&folder), 4);
}

#define IN_FOLDER(test)                                                        \
  cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_FOLDER(bytes_are_compared_to_the_last),
      IN_FOLDER(sidecars_are_the_same_by_their_id_and_files),
      IN_FOLDER(what_is_too_large_is_no_sidecar),
      IN_FOLDER(the_same_file_is_no_conflict),
      IN_FOLDER(only_a_regular_file_can_be_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
