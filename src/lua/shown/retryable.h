/*
 * Whether a call that failed may be made again.  Pure.
 */
#ifndef GPTIMAGE2_LUA_RETRYABLE_H
#define GPTIMAGE2_LUA_RETRYABLE_H

#include <stdbool.h>

/* Whether the same call may go well later.  `status`: HTTP's, 0 = none. */
bool retryable(const char *kind, const char *code, int status);
/* For an answer of the service with this status. */
bool retryable_status(int status);

#endif
