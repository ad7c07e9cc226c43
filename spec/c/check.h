/*
 * What every C test needs: cmocka with its includes in the order it wants, a
 * check that names the row of a table, and what numbers.h has.
 */
#ifndef GPTIMAGE2_C_CHECK_H
#define GPTIMAGE2_C_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"

/* Fails the test with a message (as for printf) when `condition` is false. */
#define check(condition, ...)                                                  \
  do {                                                                         \
    if (!(condition))                                                          \
      fail_msg(__VA_ARGS__);                                                   \
  } while (0)

#endif
