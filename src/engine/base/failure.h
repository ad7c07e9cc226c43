/*
 * Why something did not work, in the words that reach the user: a kind and a
 * code from the public error table, and a detail for people.
 */
#ifndef GPTIMAGE2_ENGINE_FAILURE_H
#define GPTIMAGE2_ENGINE_FAILURE_H

typedef struct Failure {
  const char *kind; /* static text, NULL = no failure */
  const char *code; /* static text */
  char *detail;     /* owned, or NULL: what the system or the library said */
} Failure;

/* Sets all three; `format` as for printf, at most 500 bytes are kept.  What
 * stood there before is freed. */
__attribute__((format(printf, 4, 5))) void failure_set(Failure *failure,
                                                       const char *kind,
                                                       const char *code,
                                                       const char *format, ...);

/* The same in `to`, which is another one.  What stood there is freed. */
void failure_copy(Failure *to, const Failure *from);

/* Forgets it and frees the detail. */
void failure_clear(Failure *failure);

#endif
