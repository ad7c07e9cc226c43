/* A JSON text, read where it stands: see json_reader.h. */
#include "json_reader.h"

#include "json_number.h"
#include "limits.h"

#include <string.h>

#define REPLACEMENT 0xFFFDu

/* What a number or a word is made of. */
static bool is_part(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' ||
         c == '+' || c == '.' || c == 'E';
}

/* Here, or behind a piece of a number or a word that begins here, the text is
 * at its end: more of it might have been right. */
static void break_off(JsonReader *reader) {
  const char *at = reader->at;
  while (at < reader->end && is_part(*at))
    at++;
  reader->cut = reader->broken ? reader->cut : at == reader->end;
  reader->broken = true;
  reader->at = reader->end;
}

/* The character that comes next after white space, or NUL at the end. */
static char peek(JsonReader *reader) {
  while (reader->at < reader->end &&
         (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\r' ||
          *reader->at == '\t'))
    reader->at++;
  return reader->at < reader->end ? *reader->at : '\0';
}

/* Reads the character if it comes next. */
static bool take(JsonReader *reader, char wanted) {
  if (peek(reader) != wanted)
    return false;
  reader->at++;
  return true;
}

void json_begin(JsonReader *reader, const char *bytes, size_t length) {
  if (length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
    bytes += 3; /* a byte-order mark: some servers begin every text with one */
    length -= 3;
  }
  *reader = (JsonReader){.at = bytes, .end = bytes + length};
  if (memchr(bytes, '\0', length)) /* nowhere allowed: no more looking for it */
    break_off(reader);
}

bool json_ended(JsonReader *reader) {
  return peek(reader) == '\0' && !reader->broken && reader->depth == 0;
}

JsonKind json_peek(JsonReader *reader) {
  char next = peek(reader);
  switch (next) {
  case '"':
    return JSON_TEXT;
  case '{':
    return JSON_OBJECT;
  case '[':
    return JSON_ARRAY;
  case 't':
  case 'f':
    return JSON_BOOLEAN;
  case 'n':
    return JSON_NULL;
  default:
    if (next == '-' || (next >= '0' && next <= '9'))
      return JSON_NUMBER;
    break_off(reader);
    return JSON_BROKEN;
  }
}

/* ---- objects and arrays ---- */

void json_enter(JsonReader *reader) {
  JsonKind kind = json_peek(reader);
  uint32_t bit = 1u << (reader->depth % JSON_DEPTH_MAX);
  if ((kind != JSON_OBJECT && kind != JSON_ARRAY) ||
      reader->depth == JSON_DEPTH_MAX) {
    break_off(reader);
    return;
  }
  reader->at++;
  reader->depth++;
  reader->objects =
      kind == JSON_OBJECT ? reader->objects | bit : reader->objects & ~bit;
  reader->fresh = true;
}

/* Reads what stands before the next member or element; false when there is
 * none, but the bracket that ends all of them, which is read. */
static bool go_on(JsonReader *reader, char bracket) {
  bool first = reader->fresh;
  reader->fresh = false;
  if (reader->broken)
    return false;
  if (take(reader, bracket)) {
    reader->depth--;
    return false;
  }
  if (!first && !take(reader, ','))
    break_off(reader);
  return !reader->broken;
}

bool json_next_element(JsonReader *reader) {
  return go_on(reader, ']');
}

/* ---- texts ---- */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The number in the four hexadecimal digits at `at`; -1 when they are not. */
static int read_hex(const char *at, const char *end) {
  int value = 0;
  if (end - at < 4)
    return -1;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(at[i]);
    if (digit < 0)
      return -1;
    value = value * 16 + digit;
  }
  return value;
}

/* How many characters make the escape whose backslash is at `at`; 0 = it is
 * none. */
static size_t escape_length(const char *at, const char *end) {
  if (end - at < 2 || !strchr("\"\\/bfnrtu", at[1]))
    return 0;
  if (at[1] != 'u')
    return 2;
  return read_hex(at + 2, end) < 0 ? 0 : 6;
}

/* The quote that ends the text in which `at` lies, or `end` where there is
 * none; NULL when a wrong escape comes first. */
static const char *closing_quote(const char *at, const char *end) {
  while (at < end && *at != '"') {
    size_t length = *at == '\\' ? escape_length(at, end) : 1;
    if (length == 0)
      return NULL;
    at += length;
  }
  return at;
}

/* The text that comes next, and nothing else may. */
static JsonPiece read_quoted(JsonReader *reader) {
  bool text = take(reader, '"');
  const char *at = reader->at;
  size_t left = (size_t)(reader->end - at);
  const char *quote = text ? memchr(at, '"', left) : NULL;
  bool escaped = quote && memchr(at, '\\', (size_t)(quote - at));
  if (escaped)
    quote = closing_quote(at, reader->end);
  else if (text && !quote)
    quote = reader->end;
  if (quote == reader->end)
    reader->at = quote; /* cut off */
  if (!quote || quote == reader->end) {
    break_off(reader);
    return (JsonPiece){0};
  }
  reader->at = quote + 1;
  return (JsonPiece){at, (size_t)(quote - at), escaped};
}

static char *put_utf8(char *to, unsigned code) {
  if (code < 0x80) {
    *to++ = (char)code;
    return to;
  }
  if (code < 0x800) {
    *to++ = (char)(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      *to++ = (char)(0xE0 | code >> 12);
    } else {
      *to++ = (char)(0xF0 | code >> 18);
      *to++ = (char)(0x80 | (code >> 12 & 0x3F));
    }
    *to++ = (char)(0x80 | (code >> 6 & 0x3F));
  }
  *to++ = (char)(0x80 | (code & 0x3F));
  return to;
}

/* The second half of the pair whose first half ends at `at`; -1 for none. */
static int second_half(const char *at, const char *end) {
  int code = end - at >= 6 && at[0] == '\\' && at[1] == 'u'
                 ? read_hex(at + 2, end)
                 : -1;
  return code >= 0xDC00 && code <= 0xDFFF ? code : -1;
}

/* Writes what the escape at `*at`, behind its backslash, stands for. */
static char *put_escape(char *to, const char **at, const char *end) {
  static const char letters[] = "bfnrt";
  static const char meant[] = "\b\f\n\r\t";
  const char *letter = strchr(letters, **at);
  unsigned code;
  if (**at != 'u') {
    *to++ = letter ? meant[letter - letters] : **at;
    ++*at;
    return to;
  }
  code = (unsigned)read_hex(*at + 1, end);
  *at += 5;
  if (code >= 0xD800 && code <= 0xDFFF) {
    int second = code < 0xDC00 ? second_half(*at, end) : -1;
    code = second < 0 ? REPLACEMENT
                      : 0x10000 + ((code - 0xD800) << 10) +
                            ((unsigned)second - 0xDC00);
    *at += second < 0 ? 0 : 6;
  }
  return put_utf8(to, code);
}

size_t json_unescape(const JsonPiece *piece, char *to) {
  const char *at = piece->at;
  const char *end = at + piece->length;
  char *start = to;
  while (at < end) {
    const char *backslash = memchr(at, '\\', (size_t)(end - at));
    size_t plain = (size_t)((backslash ? backslash : end) - at);
    memcpy(to, at, plain);
    to += plain;
    at += plain;
    if (backslash) {
      at++;
      to = put_escape(to, &at, end);
    }
  }
  return (size_t)(to - start);
}

/* ---- numbers ---- */

/* The number that comes next, and nothing else may. */
static JsonPiece read_digits(JsonReader *reader) {
  const char *at = reader->at;
  const char *end = json_skip_number(at, reader->end);
  if (!end) {
    break_off(reader);
    return (JsonPiece){0};
  }
  reader->at = end;
  return (JsonPiece){.at = at, .length = (size_t)(end - at)};
}

double json_to_double(const JsonPiece *piece) {
  return json_number_value(piece->at, piece->at + piece->length);
}

/* ---- members, and values of any kind ---- */

bool json_next_member(JsonReader *reader, JsonPiece *name) {
  if (!go_on(reader, '}'))
    return false;
  *name = read_quoted(reader);
  if (!take(reader, ':'))
    break_off(reader);
  return !reader->broken;
}

static bool next(JsonReader *reader) {
  JsonPiece name;
  return reader->objects >> (reader->depth - 1) & 1u
             ? json_next_member(reader, &name)
             : json_next_element(reader);
}

static void skip_word(JsonReader *reader) {
  static const char *const words[] = {"true", "false", "null"};
  size_t left = (size_t)(reader->end - reader->at);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    size_t length = strlen(words[i]);
    if (left >= length && memcmp(reader->at, words[i], length) == 0) {
      reader->at += length;
      return;
    }
  }
  break_off(reader);
}

/* Skips a value that has no others inside, or goes into one that may have. */
static void skip_one(JsonReader *reader) {
  switch (json_peek(reader)) {
  case JSON_OBJECT:
  case JSON_ARRAY:
    json_enter(reader);
    break;
  case JSON_TEXT:
    read_quoted(reader);
    break;
  case JSON_NUMBER:
    read_digits(reader);
    break;
  case JSON_BOOLEAN:
  case JSON_NULL:
    skip_word(reader);
    break;
  case JSON_BROKEN:
    break;
  }
}

void json_skip(JsonReader *reader) {
  unsigned outside = reader->depth;
  do {
    skip_one(reader);
    while (!reader->broken && reader->depth > outside && !next(reader))
      ; /* that one is over, and so may be the one around it */
  } while (!reader->broken && reader->depth > outside);
}

JsonPiece json_read_text(JsonReader *reader) {
  if (json_peek(reader) == JSON_TEXT)
    return read_quoted(reader);
  json_skip(reader);
  return (JsonPiece){0};
}

JsonPiece json_read_number(JsonReader *reader) {
  if (json_peek(reader) == JSON_NUMBER)
    return read_digits(reader);
  json_skip(reader);
  return (JsonPiece){0};
}
