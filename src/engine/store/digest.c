/* SHA-256 by libsodium: see digest.h. */
#include "digest.h"

#include <errno.h>
#include <sodium.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 10) /* of a file, in memory at a time */

const char *digest_missing(void) {
  return sodium_init() < 0 ? "a libsodium that works" : NULL;
}

void digest_of(unsigned char digest[DIGEST_BYTES], const void *first,
               size_t first_length, const void *second, size_t second_length) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, first, first_length);
  crypto_hash_sha256_update(&state, second, second_length);
  crypto_hash_sha256_final(&state, digest);
}

int digest_of_file(unsigned char digest[DIGEST_BYTES], int fd) {
  unsigned char piece[PIECE];
  crypto_hash_sha256_state state;
  ssize_t got;
  crypto_hash_sha256_init(&state);
  do {
    got = read(fd, piece, sizeof piece);
    if (got > 0)
      crypto_hash_sha256_update(&state, piece, (unsigned long long)got);
  } while (got > 0 || (got < 0 && errno == EINTR));
  if (got < 0)
    return errno;
  crypto_hash_sha256_final(&state, digest);
  return 0;
}

void digest_keyed(unsigned char digest[DIGEST_BYTES], const void *key,
                  size_t key_length, const void *bytes, size_t length) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key, key_length);
  crypto_auth_hmacsha256_update(&state, bytes, length);
  crypto_auth_hmacsha256_final(&state, digest);
}
