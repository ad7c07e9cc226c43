/*
 * The secret that others repeat (redact.c), however they write it: the input is
 * a key to choose, and bytes of noise or of the key in one of its spellings.
 */
#include "fuzz.h"

#include "engine/base/json_reader.h"
#include "engine/base/redact.h"

#include <ctype.h>

#define TEXT_MAX 8192

/* The first begins with a letter that no escape has: where it is taken out of a
 * JSON text, that stays one. */
static const char *const keys[] = {"sk/live+1",          "sk-0123456789abcdef",
                                   "aaaaaaaaab",         "abcabcabcabd",
                                   "u002b-u002b-u002",   "sk%2F-%25%zz",
                                   "a\\b/\"c\\\\-de\\f-"};

static size_t put(char *to, unsigned character, unsigned way) {
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  const char *hex = digits + (way & 1 ? 16 : 0);
  const char high = hex[character >> 4 & 15];
  const char low = hex[character & 15];
  switch (way / 2 % 4) {
  case 0:
    to[0] = (char)character;
    return 1;
  case 1:
    to[0] = '\\';
    to[1] = (char)character;
    return 2;
  case 2:
    memcpy(to, "\\u00", 4);
    to[4] = high;
    to[5] = low;
    return 6;
  default:
    to[0] = '%';
    to[1] = high;
    to[2] = low;
    return 3;
  }
}

/* Bytes from 0x80 on are the key's next character, in a way that they say. */
static size_t write_text(Input *input, const char *key, char *text) {
  size_t length = 0;
  size_t next = 0;
  while (input->at < input->end && length < TEXT_MAX - 6) {
    unsigned byte = input_byte(input);
    if (byte < 0x80) {
      text[length++] = (char)byte;
      continue;
    }
    length += put(text + length, (unsigned char)key[next], byte & 7);
    next = key[next + 1] ? next + 1 : 0;
  }
  return length;
}

static size_t decode_percent(char *text, size_t length) {
  size_t to = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '%' && i + 2 < length &&
        isxdigit((unsigned char)text[i + 1]) &&
        isxdigit((unsigned char)text[i + 2])) {
      char digits[] = {text[i + 1], text[i + 2], '\0'};
      text[to++] = (char)strtol(digits, NULL, 16);
      i += 2;
    } else {
      text[to++] = text[i];
    }
  }
  return to;
}

static void expect_none(const char *text, size_t length, const char *key,
                        const char *where) {
  check(!memmem(text, length, key, strlen(key)), "%s is %s", key, where);
}

/* What a reader of JSON makes of the text between quotes; false when it is no
 * such text. */
static bool look_inside(const char *text, size_t length, const char *key,
                        bool judge) {
  char *quoted = malloc(length + 2);
  JsonReader reader;
  JsonPiece piece;
  bool good;
  if (!quoted)
    abort();
  quoted[0] = quoted[length + 1] = '"';
  memcpy(quoted + 1, text, length);
  json_begin(&reader, quoted, length + 2);
  piece = json_read_text(&reader);
  good = json_ended(&reader);
  if (good && judge) {
    char *meant = malloc(piece.length + 1);
    size_t size;
    if (!meant)
      abort();
    size = json_unescape(&piece, meant);
    expect_none(meant, size, key, "in the JSON");
    if (!strpbrk(key, "%\\")) /* of such keys only the plain spelling */
      expect_none(meant, decode_percent(meant, size), key, "in the URL");
    free(meant);
  }
  free(quoted);
  return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input = {data, data + size};
  unsigned which = input_byte(&input) % COUNT(keys);
  const char *key = keys[which];
  char text[TEXT_MAX];
  size_t length = write_text(&input, key, text);
  char *bytes = malloc(length ? length : 1);
  size_t kept;
  bool json;
  if (!bytes)
    abort();
  memcpy(bytes, text, length);
  json = look_inside(bytes, length, key, false);
  kept = redact(bytes, length, key);
  check(kept <= length, "%zu became %zu", length, kept);
  expect_none(bytes, kept, key, "in the bytes");
  check(look_inside(bytes, kept, key, true) || !json || which != 0,
        "no JSON any more");
  check(redact(bytes, kept, key) == kept, "it was not all");
  free(bytes);
  return 0;
}
