/*
 * Keeps a secret out of what others say: a service, or a proxy on the way, may
 * repeat the API key, and what it says ends in errors, files and ledgers.
 *
 * A character of it may be written in any way that JSON or a URL allows: as it
 * is, `\/`, `\u002f`, `%2F`, one in the other, each in another way.  Linear in
 * the length, whatever the bytes are; but for a secret that itself holds what
 * looks like an escape ("u002f"), and for a text in which backslashes follow a
 * "%": these take as many times longer, at worst, as the secret has characters
 * (at most 256).  Pure; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_REDACT_H
#define GPTIMAGE2_ENGINE_REDACT_H

#include <stddef.h>

/* Shorter is no secret, but a piece of ordinary words. */
#define REDACT_MIN ((size_t)8)

/* Of a longer one only this very spelling is found. */
#define REDACT_MAX ((size_t)4096)

/* Puts "[key]" in place of each `secret` in the `length` bytes, which do not
 * get longer by it; also in place of its beginning where they end before it
 * does (and is that long without its backslashes).  The whole text must be
 * there: of a piece that ends inside a secret the rest would not be found.
 * Returns their new length; no NUL is added. */
size_t redact(char *bytes, size_t length, const char *secret);

#endif
