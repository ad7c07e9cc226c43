/* Why something did not work: see failure.h. */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DETAIL_MAX 500

void failure_set(Failure *failure, const char *kind, const char *code,
                 const char *format, ...) {
  char text[DETAIL_MAX];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  free(failure->detail);
  failure->kind = kind;
  failure->code = code;
  failure->detail = strdup(text); /* without memory there is no detail */
}

void failure_copy(Failure *to, const Failure *from) {
  failure_set(to, from->kind, from->code, "%s",
              from->detail ? from->detail : "");
}

void failure_clear(Failure *failure) {
  free(failure->detail);
  *failure = (Failure){0};
}
