/* Whether a file is there already: see twin.h. */
#include "twin.h"

#include "engine/base/json_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 8192                   /* bytes, on the stack */
#define SIDECAR_MAX ((off_t)1 << 20) /* bytes: ours are smaller by far */

/* Fills `bytes` as far as the file goes: how many, -1 when it cannot be read.
 */
static ssize_t read_full(int fd, char *bytes, size_t size) {
  size_t have = 0;
  while (have < size) {
    ssize_t got = read(fd, bytes + have, size - have);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -1;
    if (got == 0)
      break;
    have += (size_t)got;
  }
  return (ssize_t)have;
}

bool twin_has_same_bytes(int there, int ours) {
  char one[BLOCK], other[BLOCK];
  ssize_t length;
  do {
    length = read_full(there, one, sizeof one);
    if (length < 0 || read_full(ours, other, sizeof other) != length ||
        memcmp(one, other, (size_t)length) != 0)
      return false;
  } while (length == BLOCK);
  return true;
}

/* ---- sidecars ---- */

/* All of a file in a new allocation: NULL when it is too large for a sidecar,
 * cannot be read, or there is no memory. */
static char *read_all(int fd, size_t *length) {
  struct stat info;
  char *bytes;
  ssize_t got;
  if (fstat(fd, &info) != 0 || info.st_size > SIDECAR_MAX)
    return NULL;
  bytes = malloc((size_t)info.st_size + 1);
  if (!bytes)
    return NULL;
  got = read_full(fd, bytes, (size_t)info.st_size);
  if (got < 0) {
    free(bytes);
    return NULL;
  }
  *length = (size_t)got;
  return bytes;
}

/* A walk through a sidecar's names: its files one after the other, its id. */
typedef struct Names {
  JsonReader reader;
  JsonPiece id;
  bool inside; /* of the list of results */
} Names;

/* Goes to the list of results; the id stands in front of it, as we write it. */
static void enter_results(Names *names) {
  JsonPiece name;
  json_enter(&names->reader);
  while (json_next_member(&names->reader, &name)) {
    if (json_is(&name, "id")) {
      names->id = json_read_text(&names->reader);
    } else if (json_is(&name, "results")) {
      names->inside = true;
      json_enter(&names->reader);
      return;
    } else {
      json_skip(&names->reader);
    }
  }
}

/* The name of the next file; without `at` after the last one. */
static JsonPiece next_file(Names *names) {
  JsonReader *reader = &names->reader;
  JsonPiece name, file = {0};
  if (!names->inside || !json_next_element(reader))
    return file;
  json_enter(reader);
  while (json_next_member(reader, &name))
    if (json_is(&name, "file"))
      file = json_read_text(reader);
    else
      json_skip(reader);
  return file;
}

/* Both were written by us, in one way: no need to take backslashes out. */
static bool is_same_text(const JsonPiece *one, const JsonPiece *other) {
  return one->at && other->at && one->length == other->length &&
         memcmp(one->at, other->at, one->length) == 0;
}

/* Whether the list was read to its end, and no fault is in the rest. */
static bool is_whole(JsonReader *reader) {
  JsonPiece name;
  while (json_next_member(reader, &name))
    json_skip(reader);
  return json_ended(reader);
}

static bool name_the_same(Names *there, Names *ours) {
  JsonPiece one, other;
  enter_results(there);
  enter_results(ours);
  if (!is_same_text(&there->id, &ours->id))
    return false;
  do {
    one = next_file(there);
    other = next_file(ours);
  } while (is_same_text(&one, &other));
  return is_whole(&there->reader) && is_whole(&ours->reader);
}

bool twin_is_same_sidecar(int there, int ours) {
  Names one = {0}, other = {0};
  size_t length = 0, our_length = 0;
  char *theirs = read_all(there, &length);
  char *text = theirs ? read_all(ours, &our_length) : NULL;
  bool same = false;
  if (text) {
    json_begin(&one.reader, theirs, length);
    json_begin(&other.reader, text, our_length);
    same = name_the_same(&one, &other);
  }
  free(theirs);
  free(text);
  return same;
}
