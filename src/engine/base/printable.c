/* Texts of others, printable: see printable.h. */
#include "printable.h"

#include <stdio.h>
#include <string.h>

/* Everything below space, and DEL; but tab and line end where the text may have
 * `lines`. */
static bool is_control(unsigned char c, bool lines) {
  return (c < 0x20 && !(lines && (c == '\t' || c == '\n'))) || c == 0x7f;
}

/* Visible ASCII and space, as nearly all is. */
static bool is_visible(unsigned char c) {
  return c >= 0x20 && c < 0x7f;
}

/* What turns the direction of writing, and makes a line read as what it is not:
 * U+202A to U+202E, U+2066 to U+2069; and the marks U+200E, U+200F, U+061C,
 * which belong to the writing where the text may have `lines`.  U+2028 and
 * U+2029 end a line. */
static bool is_turning(unsigned code, bool lines) {
  if (code == 0x200E || code == 0x200F || code == 0x61C)
    return !lines;
  return (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

static bool goes_on(unsigned char c) {
  return (c & 0xC0) == 0x80;
}

/* The code point of two or three bytes at `text`; 0 for others.  None of those
 * that must be found has more. */
static unsigned code_at(const char *text, size_t left) {
  const unsigned char *c = (const unsigned char *)text;
  if (left >= 2 && (c[0] & 0xE0) == 0xC0 && goes_on(c[1]))
    return (c[0] & 0x1Fu) << 6 | (c[1] & 0x3Fu);
  if (left >= 3 && (c[0] & 0xF0) == 0xE0 && goes_on(c[1]) && goes_on(c[2]))
    return (c[0] & 0xFu) << 12 | (c[1] & 0x3Fu) << 6 | (c[2] & 0x3Fu);
  return 0;
}

/* How many bytes at `text` must be made visible together; 0 = none.  C1
 * controls (U+0080 to U+009F) are obeyed by terminals, too. */
static size_t hidden_length(const char *text, size_t left, bool lines) {
  unsigned char c = (unsigned char)text[0];
  unsigned code;
  if (c < 0x80)
    return is_control(c, lines);
  code = code_at(text, left);
  if (code == 0 || (code >= 0xA0 && !is_turning(code, lines)))
    return 0;
  return (c & 0xE0) == 0xC0 ? 2 : 3;
}

size_t printable_length(const char *text, size_t length, bool lines) {
  size_t i = 0;
  while (i < length && (is_visible((unsigned char)text[i]) ||
                        hidden_length(text + i, length - i, lines) == 0))
    i++;
  return i;
}

size_t printable_escape(const char *text, size_t length, bool lines,
                        char escape[PRINTABLE_ESCAPE_MAX]) {
  size_t hidden = hidden_length(text, length, lines);
  unsigned code = hidden == 1 ? (unsigned char)*text : code_at(text, length);
  snprintf(escape, PRINTABLE_ESCAPE_MAX, code < 0x100 ? "\\x%02X" : "\\u%04X",
           code);
  return hidden;
}

/* How much of `text` fits behind what was written. */
static size_t fitting(size_t written, size_t room, size_t length) {
  size_t left = room - 1 - written;
  return length < left ? length : left;
}

void printable_write(char *to, size_t room, const char *text, size_t length,
                     bool lines) {
  char escape[PRINTABLE_ESCAPE_MAX];
  size_t written = 0;
  while (length > 0) {
    size_t plain = printable_length(text, length, lines);
    size_t taken = fitting(written, room, plain);
    memcpy(to + written, text, taken);
    written += taken;
    text += plain;
    length -= plain;
    if (length == 0 || taken < plain)
      break;
    plain = printable_escape(text, length, lines, escape);
    if (fitting(written, room, strlen(escape)) < strlen(escape))
      break;
    memcpy(to + written, escape, strlen(escape));
    written += strlen(escape);
    text += plain;
    length -= plain;
  }
  to[written] = '\0';
}
