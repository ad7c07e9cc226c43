/*
 * SHA-256 and HMAC-SHA-256, by libsodium: which request a picture was made for,
 * and which bytes it has.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_DIGEST_H
#define GPTIMAGE2_ENGINE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 32

/* NULL, or what is missing in this build. */
const char *digest_missing(void);

/* The digest of two texts, one behind the other.  Not where digest_missing says
 * that something is. */
void digest_of(unsigned char digest[DIGEST_BYTES], const void *first,
               size_t first_length, const void *second, size_t second_length);

/* One that is taken of a text piece by piece: begin, more, end. */
typedef struct DigestState {
  union {
    uint64_t aligned;
    unsigned char bytes[128];
  } own;
} DigestState;

void digest_begin(DigestState *state);
void digest_more(DigestState *state, const void *bytes, size_t length);
void digest_end(DigestState *state, unsigned char digest[DIGEST_BYTES]);

/* The same of what is left to read of a descriptor: 0, or errno. */
int digest_of_file(unsigned char digest[DIGEST_BYTES], int fd);

/* The HMAC of some bytes. */
void digest_keyed(unsigned char digest[DIGEST_BYTES], const void *key,
                  size_t key_length, const void *bytes, size_t length);

#endif
