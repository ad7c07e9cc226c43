/* The code of a failed job as the service worded it: see service_code.h. */
#include "service_code.h"

#include "engine/base/printable.h"
#include "engine/base/redact.h"

#include <stdlib.h>
#include <string.h>

#define CODE_MAX ((size_t)128) /* bytes of it that we repeat */

/* The bytes of a reply do not hold the key, but what is written with escapes
 * may turn into it: all of it is looked at, then it is cut. */
static char *copy_text(const JsonPiece *piece, const char *api_key,
                       size_t *length) {
  char *text = malloc(piece->length);
  if (!text)
    return NULL;
  *length = piece->length;
  if (piece->escaped)
    *length = redact(text, json_unescape(piece, text), api_key);
  else
    memcpy(text, piece->at, piece->length);
  return text;
}

static char *copy_word(const JsonPiece *piece, const char *api_key) {
  const size_t room = CODE_MAX * PRINTABLE_ESCAPE_MAX;
  size_t length;
  char *text = copy_text(piece, api_key, &length);
  char *word = text ? malloc(room) : NULL;
  if (word)
    printable_write(word, room, text, length < CODE_MAX ? length : CODE_MAX,
                    false);
  free(text);
  return word;
}

char *service_code(const ApiReply *reply, const char *api_key) {
  if (reply->error.length > 0)
    return copy_word(&reply->error, api_key);
  if (reply->word != WORD_DOCUMENTED && reply->said.length > 0)
    return copy_word(&reply->said, api_key);
  return NULL;
}
