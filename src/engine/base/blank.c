/* What stands at the ends of a text and says nothing: see blank.h. */
#include "blank.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Range {
  uint32_t first, last;
} Range;

static const Range blanks[] = {
    {0x09, 0x0D},     {0x20, 0x20},     {0x85, 0x85},     {0xA0, 0xA0},
    {0xAD, 0xAD},     {0x1680, 0x1680}, {0x180E, 0x180E}, {0x2000, 0x200B},
    {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x2060}, {0x3000, 0x3000},
    {0xFEFF, 0xFEFF}};

/* Not seen either, but they may belong to what stands beside them. */
static const Range unseen[] = {
    {0x34F, 0x34F},   {0x61C, 0x61C},   {0x115F, 0x1160}, {0x200C, 0x200F},
    {0x202A, 0x202E}, {0x2061, 0x206F}, {0x3164, 0x3164}, {0xFE00, 0xFE0F}};

static bool is_among(uint32_t code, const Range *ranges, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (code >= ranges[i].first && code <= ranges[i].last)
      return true;
  return false;
}

static bool is_blank(uint32_t code) {
  return is_among(code, blanks, sizeof blanks / sizeof *blanks);
}

static bool is_unseen(uint32_t code) {
  return is_blank(code) ||
         is_among(code, unseen, sizeof unseen / sizeof *unseen);
}

/* The character of one to three bytes at `text`; `*size`: how many.  None that
 * is looked for here has four; of what is no UTF-8 each byte is a character
 * that is not looked for either. */
static uint32_t read_at(const unsigned char *text, size_t left, size_t *size) {
  uint32_t code;
  *size = 1;
  if (text[0] < 0x80)
    return text[0];
  if ((text[0] & 0xE0) == 0xC0 && left >= 2 && (text[1] & 0xC0) == 0x80) {
    code = (text[0] & 0x1Fu) << 6 | (text[1] & 0x3Fu);
    *size = code >= 0x80 ? 2 : 1;
    return code >= 0x80 ? code : UINT32_MAX;
  }
  if ((text[0] & 0xF0) == 0xE0 && left >= 3 && (text[1] & 0xC0) == 0x80 &&
      (text[2] & 0xC0) == 0x80) {
    code = (text[0] & 0xFu) << 12 | (text[1] & 0x3Fu) << 6 | (text[2] & 0x3Fu);
    *size = code >= 0x800 ? 3 : 1;
    return code >= 0x800 ? code : UINT32_MAX;
  }
  return UINT32_MAX;
}

/* How many bytes at the end are its last character; 1 for what is no UTF-8. */
static size_t last_size(const unsigned char *text, size_t length) {
  size_t size = 1;
  while (size < 3 && size < length && (text[length - size] & 0xC0) == 0x80)
    size++;
  return (text[length - size] & 0xC0) == 0xC0 ? size : 1;
}

static bool has_only_unseen(const unsigned char *text, size_t length) {
  size_t size;
  for (size_t i = 0; i < length; i += size)
    if (!is_unseen(read_at(text + i, length - i, &size)))
      return false;
  return true;
}

size_t blank_trim(const char **text, size_t length) {
  const unsigned char *at = (const unsigned char *)*text;
  size_t size;
  while (length > 0 && is_blank(read_at(at, length, &size))) {
    at += size;
    length -= size;
  }
  while (length > 0) {
    size_t last = last_size(at, length);
    if (!is_blank(read_at(at + length - last, last, &size)) || size != last)
      break;
    length -= last;
  }
  *text = (const char *)at;
  return has_only_unseen(at, length) ? 0 : length;
}
