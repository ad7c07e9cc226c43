/*
 * Keeps a secret out of what others say: a service, or a proxy on the way, may
 * repeat the API key, and what it says ends in errors, files and ledgers.
 * Pure; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_SECRET_H
#define GPTIMAGE2_ENGINE_SECRET_H

#include <stddef.h>

/* Shorter is no secret, but a piece of ordinary words. */
#define SECRET_MIN ((size_t)8)

/* Puts "[key]" in place of each `secret` in the `length` bytes, which do not
 * get longer by it.  Returns their new length; no NUL is added. */
size_t secret_hide(char *bytes, size_t length, const char *secret);

#endif
