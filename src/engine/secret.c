/* Keeps a secret out of what others say: see secret.h. */
#include "secret.h"

#include <string.h>

static const char MARK[] = "[key]"; /* fits in the place of any secret */

size_t secret_hide(char *bytes, size_t length, const char *secret) {
  size_t secret_length = strlen(secret);
  char *end = bytes + length;
  char *from = bytes; /* what is not looked at yet */
  char *to = bytes;   /* where it belongs */
  char *found;
  if (secret_length < SECRET_MIN)
    return length;
  while ((found = memmem(from, (size_t)(end - from), secret, secret_length))) {
    size_t before = (size_t)(found - from);
    memmove(to, from, before);
    memcpy(to + before, MARK, sizeof MARK - 1);
    to += before + sizeof MARK - 1;
    from = found + secret_length;
  }
  if (to != from)
    memmove(to, from, (size_t)(end - from));
  return (size_t)(to - bytes) + (size_t)(end - from);
}
