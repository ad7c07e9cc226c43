/*
 * What stands at the ends of a text and says nothing: white space and marks
 * that nobody sees, of all Unicode.  The sandbox asks here, too, so that it
 * judges as the client does.  Pure; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_BLANK_H
#define GPTIMAGE2_ENGINE_BLANK_H

#include <stddef.h>

/* Takes white space and marks (a byte-order mark, a zero-width space) away from
 * both ends of the `length` bytes at `*text`: moves `*text`, and returns how
 * many bytes are left.  0 also where nothing is left that could be seen:
 * joiners and controls of direction, which stay beside other characters. */
size_t blank_trim(const char **text, size_t length);

#endif
