/* Keeps a secret out of what others say: see redact.h. */
#include "redact.h"

#include "platform.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char MARK[] = "[key]"; /* fits in the place of any secret */

#define NO_CHARACTER (-1)           /* it stands for none that a secret has */
#define CUT_OFF (-2)                /* the end came before it was whole */
#define AMBIGUOUS_MAX ((size_t)256) /* see hide_ambiguous */

/* What is looked for: the secret without its backslashes, which are looked
 * through on both sides, for they may stand before any character.
 * `fallback[n]`: how many characters still fit when the one behind the first n
 * does not (Knuth, Morris, Pratt). */
typedef struct Wanted {
  size_t length;
  bool percent; /* "%2F" may be a slash */
  char characters[REDACT_MAX];
  uint16_t fallback[REDACT_MAX + 1];
} Wanted;

static void find_fallbacks(Wanted *wanted) {
  size_t fits = 0;
  wanted->fallback[0] = wanted->fallback[1] = 0;
  for (size_t i = 1; i < wanted->length; i++) {
    while (fits > 0 && wanted->characters[i] != wanted->characters[fits])
      fits = wanted->fallback[fits];
    if (wanted->characters[i] == wanted->characters[fits])
      fits++;
    wanted->fallback[i + 1] = (uint16_t)fits;
  }
}

/* False for one that is too long, or too short without its backslashes. */
static bool set_wanted(Wanted *wanted, const char *secret, bool percent) {
  wanted->length = 0;
  wanted->percent = percent;
  for (; *secret; secret++) {
    if (*secret == '\\')
      continue;
    if (wanted->length == REDACT_MAX)
      return false;
    wanted->characters[wanted->length++] = *secret;
  }
  if (wanted->length < REDACT_MIN)
    return false;
  find_fallbacks(wanted);
  return true;
}

/* ---- one character, however it is written ---- */

static int hex_digit(int c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The character of "u002f" at `at`; NO_CHARACTER for what is not ASCII, and
 * for what is no such escape. */
static int read_code(const char *at, const char *end) {
  int code = 0;
  for (int i = 1; i < 5; i++) {
    int digit;
    if (at + i == end)
      return CUT_OFF;
    digit = hex_digit(at[i]);
    if (digit < 0)
      return NO_CHARACTER;
    code = code * 16 + digit;
  }
  return code < 0x80 ? code : NO_CHARACTER;
}

/* The character at `*at` behind any number of backslashes: JSON inside of JSON
 * has several.  Moves behind it. */
static int read_escaped(const char **at, const char *end) {
  const char *from = *at;
  int code = NO_CHARACTER;
  while (*at < end && **at == '\\')
    ++*at;
  if (*at == end)
    return CUT_OFF;
  if (*at > from && **at == 'u')
    code = read_code(*at, end);
  if (code == NO_CHARACTER)
    return (unsigned char)*(*at)++;
  *at = code == CUT_OFF ? end : *at + 5;
  return code;
}

/* The two digits behind a "%"; NO_CHARACTER when they are none.  There a
 * backslash must have a "u": before a bare digit it is no JSON. */
static int read_percent(const char **at, const char *end) {
  int code = 0;
  for (int i = 0; i < 2; i++) {
    bool bare = *at < end && **at != '\\';
    int character = read_escaped(at, end);
    if (character == CUT_OFF)
      return CUT_OFF;
    if (hex_digit(character) < 0 || (!bare && (*at)[-2] == '\\'))
      return NO_CHARACTER;
    code = code * 16 + hex_digit(character);
  }
  return code;
}

static int read_character(const Wanted *wanted, const char **at,
                          const char *end) {
  int character = read_escaped(at, end);
  const char *next = *at;
  int code;
  if (character != '%' || !wanted->percent)
    return character;
  code = read_percent(&next, end);
  if (code == NO_CHARACTER)
    return '%';
  *at = next;
  return code;
}

/* Behind the first `count` characters at `at`. */
static const char *skip_characters(const Wanted *wanted, const char *at,
                                   const char *end, size_t count) {
  while (count > 0)
    if (read_character(wanted, &at, end) != '\\')
      count--;
  return at;
}

/* ---- the search ---- */

/* What was looked at.  The `fits` characters from `start` on, up to `at`, are
 * the first of the secret. */
typedef struct Search {
  const char *at;
  const char *start;
  size_t fits;
} Search;

/* Past what can be no beginning of the secret. */
static void skip_others(Search *search, const Wanted *wanted, const char *end) {
  char first = wanted->characters[0];
  while (search->at < end && *search->at != first && *search->at != '\\' &&
         *search->at != '%')
    search->at++;
}

/* The next character, which begins at `here`, fits or does not. */
static void take(Search *search, const Wanted *wanted, const char *here,
                 const char *end, int character) {
  while (search->fits > 0 && wanted->characters[search->fits] != character) {
    size_t fits = wanted->fallback[search->fits];
    search->start =
        skip_characters(wanted, search->start, end, search->fits - fits);
    search->fits = fits;
  }
  if (search->fits == 0)
    search->start = here;
  if (wanted->characters[search->fits] == character)
    search->fits++;
}

/* Reads on until the whole secret fits, or to the end. */
static void read_on(Search *search, const Wanted *wanted, const char *end) {
  while (search->fits < wanted->length) {
    const char *here;
    int character;
    if (search->fits == 0)
      skip_others(search, wanted, end);
    if (search->at == end)
      return;
    here = search->at;
    character = read_character(wanted, &search->at, end);
    if (character != '\\' && character != CUT_OFF)
      take(search, wanted, here, end, character);
  }
}

/* Moves what stands between `from` and `until` to `to`, and a mark behind it.
 * Returns where the next goes. */
static char *mark(char *to, const char *from, const char *until) {
  size_t before = (size_t)(until - from);
  memmove(to, from, before);
  memcpy(to + before, MARK, sizeof MARK - 1);
  return to + before + sizeof MARK - 1;
}

/* In all its spellings. */
static size_t hide_spelled(char *bytes, size_t length, const char *secret,
                           bool percent) {
  const char *end = bytes + length;
  Search search = {.at = bytes, .start = bytes};
  const char *from = bytes; /* not moved yet */
  char *to = bytes;         /* where it belongs */
  Wanted wanted;
  if (!set_wanted(&wanted, secret, percent))
    return length;
  while (search.at < end) {
    read_on(&search, &wanted, end);
    if (search.fits < REDACT_MIN) /* else it is all of it, or cut off */
      break;
    to = mark(to, from, search.start);
    from = search.at;
    search.fits = 0;
  }
  memmove(to, from, (size_t)(end - from));
  return (size_t)(to - bytes) + (size_t)(end - from);
}

/* As it is. */
static size_t hide_plain(char *bytes, size_t length, const char *secret) {
  size_t secret_length = strlen(secret);
  const char *end = bytes + length;
  const char *from = bytes;
  char *to = bytes;
  char *found;
  while ((found = platform_find(from, (size_t)(end - from), secret,
                                secret_length))) {
    to = mark(to, from, found);
    from = found + secret_length;
  }
  if (to != from)
    memmove(to, from, (size_t)(end - from));
  return (size_t)(to - bytes) + (size_t)(end - from);
}

/* ---- escapes that may be read in two ways ---- */

/* Whether the secret holds a "u" and four digits, as "u002b" is: behind
 * backslashes these may be one character or five, and the text does not say
 * which, for it may be JSON inside of JSON. */
static bool looks_escaped(const Wanted *wanted) {
  const char *end = wanted->characters + wanted->length;
  for (const char *at = wanted->characters; at < end; at++)
    if (*at == 'u' && read_code(at, end) >= 0)
      return true;
  return false;
}

/* Whether a digit behind a "%" has a backslash: it may be one of the two, or
 * the "%" stands alone and the secret begins in what looks like its digits. */
static bool has_escaped_percent(const char *at, const char *end) {
  while ((at = memchr(at, '%', (size_t)(end - at)))) {
    at++;
    if ((at < end && at[0] == '\\') || (at + 1 < end && at[1] == '\\'))
      return true;
  }
  return false;
}

static const char *match(const Wanted *wanted, const char *at, const char *end,
                         size_t fits);

/* The rest of the secret behind one character that was read as `code`. */
static const char *match_behind(const Wanted *wanted, int code, const char *at,
                                const char *end, size_t fits) {
  if (code == CUT_OFF)
    return fits >= REDACT_MIN ? end : NULL;
  return code == wanted->characters[fits] ? match(wanted, at, end, fits + 1)
                                          : NULL;
}

/* Behind the secret, whose first `fits` characters were found before `at`, in
 * whatever way the rest of it is read; or the end, where it is cut off; or
 * NULL.  Goes back only where two ways begin with the same character, which
 * part at the next one: as many calls within each other as the secret has
 * characters. */
static const char *match(const Wanted *wanted, const char *at, const char *end,
                         size_t fits) {
  while (fits < wanted->length) {
    const char *from = at;
    const char *found = NULL;
    while (at < end && *at == '\\')
      at++;
    if (at == end)
      return fits >= REDACT_MIN ? end : NULL;
    if (*at == 'u' && at > from) {
      int code = read_code(at, end);
      found = match_behind(wanted, code, code < 0 ? end : at + 5, end, fits);
    } else if (*at == '%') {
      const char *next = at + 1;
      int code = read_percent(&next, end);
      found = match_behind(wanted, code, next, end, fits);
    }
    if (found)
      return found;
    if (*at != wanted->characters[fits])
      return NULL;
    at++, fits++;
  }
  return at;
}

/* Where to look next: a run of backslashes is looked through as one. */
static const char *next_start(const char *at, const char *end) {
  if (*at != '\\')
    return at + 1;
  while (at < end && *at == '\\')
    at++;
  return at;
}

/* Looks for the secret at each place anew, where what was read before it may
 * have been read wrong.  The length of the text times that of the secret, at
 * worst: the secret's is limited. */
static size_t hide_ambiguous(char *bytes, size_t length, const char *secret) {
  const char *end = bytes + length;
  const char *at = bytes;
  const char *from = bytes;
  char *to = bytes;
  Wanted wanted;
  if (!set_wanted(&wanted, secret, true) || wanted.length > AMBIGUOUS_MAX ||
      !(looks_escaped(&wanted) || has_escaped_percent(bytes, end)))
    return length;
  while (at < end) {
    const char *found = match(&wanted, at, end, 0);
    if (found) {
      to = mark(to, from, at);
      from = found;
    }
    at = found ? found : next_start(at, end);
  }
  memmove(to, from, (size_t)(end - from));
  return (size_t)(to - bytes) + (size_t)(end - from);
}

/* Nearly no reply needs the slow search: none of its bytes leads to another
 * spelling, and its last one, a bracket, is none of the secret's.  Whether "%"
 * means what it does in a URL nobody knows: it is looked at both ways. */
size_t redact(char *bytes, size_t length, const char *secret) {
  if (length == 0 || strlen(secret) < REDACT_MIN)
    return length;
  if (memchr(bytes, '\\', length) || strchr(secret, bytes[length - 1]))
    length = hide_spelled(bytes, length, secret, false);
  if (memchr(bytes, '%', length))
    length = hide_spelled(bytes, length, secret, true);
  length = hide_plain(bytes, length, secret);
  if (memchr(bytes, '\\', length))
    length = hide_ambiguous(bytes, length, secret);
  return length;
}
