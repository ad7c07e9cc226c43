/*
 * The rows of a table, and repeatable random numbers: without cmocka, for the
 * bench as well.
 */
#ifndef GPTIMAGE2_C_NUMBERS_H
#define GPTIMAGE2_C_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* The rows of a table. */
#define COUNT(table) (sizeof(table) / sizeof *(table))

/* xorshift64*: the same numbers in every run, so that a failure comes back. */
static inline uint64_t random_bits(uint64_t *seed) {
  *seed ^= *seed >> 12;
  *seed ^= *seed << 25;
  *seed ^= *seed >> 27;
  return *seed * 2685821657736338717u;
}

/* A number from 0 to `limit` - 1. */
static inline unsigned random_below(uint64_t *seed, unsigned limit) {
  return (unsigned)((random_bits(seed) >> 33) % limit);
}

/* A number in [0, 1). */
static inline double random_unit(uint64_t *seed) {
  return (double)(random_bits(seed) >> 11) / 9007199254740992.0;
}

#endif
