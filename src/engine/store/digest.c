/* SHA-256 by libsodium: see digest.h. */
#include "digest.h"

#include <errno.h>
#include <sodium.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 10) /* of a file, in memory at a time */

const char *digest_missing(void) {
  return sodium_init() < 0 ? "a libsodium that works" : NULL;
}

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(DigestState),
               "libsodium's state is larger");

/* The compiler may not see through the union's bytes: libsodium does. */
static crypto_hash_sha256_state *own(DigestState *state) {
  return (crypto_hash_sha256_state *)(void *)&state->own;
}

void digest_begin(DigestState *state) {
  crypto_hash_sha256_init(own(state));
}

void digest_more(DigestState *state, const void *bytes, size_t length) {
  crypto_hash_sha256_update(own(state), bytes, length);
}

void digest_end(DigestState *state, unsigned char digest[DIGEST_BYTES]) {
  crypto_hash_sha256_final(own(state), digest);
}

void digest_of(unsigned char digest[DIGEST_BYTES], const void *first,
               size_t first_length, const void *second, size_t second_length) {
  DigestState state;
  digest_begin(&state);
  digest_more(&state, first, first_length);
  digest_more(&state, second, second_length);
  digest_end(&state, digest);
}

int digest_of_file(unsigned char digest[DIGEST_BYTES], int fd) {
  unsigned char piece[PIECE];
  DigestState state;
  ssize_t got;
  digest_begin(&state);
  do {
    got = read(fd, piece, sizeof piece);
    if (got > 0)
      digest_more(&state, piece, (size_t)got);
  } while (got > 0 || (got < 0 && errno == EINTR));
  if (got < 0)
    return errno;
  digest_end(&state, digest);
  return 0;
}

void digest_keyed(unsigned char digest[DIGEST_BYTES], const void *key,
                  size_t key_length, const void *bytes, size_t length) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key, key_length);
  crypto_auth_hmacsha256_update(&state, bytes, length);
  crypto_auth_hmacsha256_final(&state, digest);
}
