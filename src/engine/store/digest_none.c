/* A build without libsodium has no digests, and says so: see digest.h. */
#include "digest.h"

#include <errno.h>
#include <string.h>

/* Names what was missing when this was built. */
#ifndef GPTIMAGE2_LEDGER_MISSING
#define GPTIMAGE2_LEDGER_MISSING "SQLite or libsodium"
#endif

const char *digest_missing(void) {
  return GPTIMAGE2_LEDGER_MISSING;
}

void digest_begin(DigestState *state) {
  memset(state, 0, sizeof *state);
}

void digest_more(DigestState *state, const void *bytes, size_t length) {
  (void)state, (void)bytes, (void)length;
}

void digest_end(DigestState *state, unsigned char digest[DIGEST_BYTES]) {
  (void)state;
  memset(digest, 0, DIGEST_BYTES);
}

void digest_of(unsigned char digest[DIGEST_BYTES], const void *first,
               size_t first_length, const void *second, size_t second_length) {
  (void)first, (void)first_length, (void)second, (void)second_length;
  memset(digest, 0, DIGEST_BYTES);
}

int digest_of_file(unsigned char digest[DIGEST_BYTES], int fd) {
  (void)fd;
  memset(digest, 0, DIGEST_BYTES);
  return ENOSYS;
}

void digest_keyed(unsigned char digest[DIGEST_BYTES], const void *key,
                  size_t key_length, const void *bytes, size_t length) {
  (void)key, (void)key_length, (void)bytes, (void)length;
  memset(digest, 0, DIGEST_BYTES);
}
