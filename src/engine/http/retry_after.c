/* Reading the Retry-After header: see retry_after.h. */
#include "retry_after.h"

#include "engine/loop/curl_lib.h"

#include <stdbool.h>

/* A decimal number without sign or exponent that fills the whole text. */
static double parse_number(const char *text) {
  double value = 0;
  double unit = 1;
  bool digits = false;
  bool fraction = false;
  for (; (*text >= '0' && *text <= '9') || (*text == '.' && !fraction);
       text++) {
    if (*text == '.') {
      fraction = true;
      continue;
    }
    digits = true;
    if (fraction)
      unit /= 10;
    value =
        fraction ? value + (*text - '0') * unit : value * 10 + (*text - '0');
    if (value > 1e12)
      value = 1e12;
  }
  return digits && *text == '\0' ? value : -1;
}

static double at_most_a_day(double seconds) {
  return seconds > RETRY_AFTER_CEILING ? RETRY_AFTER_CEILING : seconds;
}

/* A date is one of the server's clock, whose time the answer tells. */
static double until(const char *text, const char *date, double now) {
  time_t then = curl_lib.getdate(text, NULL);
  time_t theirs = date ? curl_lib.getdate(date, NULL) : -1;
  double wait = (double)then - (theirs == -1 ? now : (double)theirs);
  if (then == -1)
    return -1;
  return wait < 0 ? 0 : at_most_a_day(wait);
}

double retry_after_read(const char *milliseconds, const char *text,
                        const char *date, double now) {
  double number = milliseconds ? parse_number(milliseconds) / 1000 : -1;
  if (number < 0 && text)
    number = parse_number(text);
  if (number >= 0)
    return at_most_a_day(number);
  return text ? until(text, date, now) : -1;
}
