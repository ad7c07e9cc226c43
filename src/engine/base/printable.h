/*
 * Texts of others, so that printing one cannot drive a terminal, nor begin a
 * line of a log, nor make one read as what it is not: control characters, those
 * of the direction of writing among them, are made visible.  Pure; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_PRINTABLE_H
#define GPTIMAGE2_ENGINE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

#define PRINTABLE_ESCAPE_MAX 16 /* bytes of an escape, with its NUL */

/* How many bytes at the beginning can stand as they are.  `lines`: the text may
 * have tabs and line ends, and marks of its writing. */
size_t printable_length(const char *text, size_t length, bool lines);

/* Writes what stands for the beginning of a text that cannot stand as it is,
 * and returns how many of its bytes that is for. */
size_t printable_escape(const char *text, size_t length, bool lines,
                        char escape[PRINTABLE_ESCAPE_MAX]);

/* Writes a whole text, of which no more than `room` - 1 bytes and the NUL; no
 * escape is cut. */
void printable_write(char *to, size_t room, const char *text, size_t length,
                     bool lines);

#endif
