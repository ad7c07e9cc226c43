/*
 * What every C test needs: cmocka with its includes in the order it wants, a
 * check that names the row of a table, and repeatable random numbers.
 */
#ifndef GPTIMAGE2_C_CHECK_H
#define GPTIMAGE2_C_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Fails the test with a message (as for printf) when `condition` is false. */
#define check(condition, ...)                                                  \
  do {                                                                         \
    if (!(condition))                                                          \
      fail_msg(__VA_ARGS__);                                                   \
  } while (0)

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
