/* Reading the Retry-After header: see retry_after.h. */
#include "retry_after.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A decimal number without sign or exponent that fills the whole text. */
static double parse_number(const char *text) {
  double value = 0;
  double unit = 1;
  bool digits = false;
  bool fraction = false;
  while (*text == ' ' || *text == '\t')
    text++;
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
  while (*text == ' ' || *text == '\t')
    text++;
  return digits && *text == '\0' ? value : -1;
}

static int month_number(const char *name) {
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (int i = 0; i < 12; i++)
    if (memcmp(months + 3 * i, name, 3) == 0)
      return i + 1;
  return 0;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static long days_since_1970(int year, int month, int day) {
  long y = month <= 2 ? year - 1 : year;
  long m = month <= 2 ? month + 9 : month - 3;
  return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719469;
}

/* IMF-fixdate, the only form a server may send today. */
double retry_after_parse_date(const char *text) {
  int day, year, hour, minute, second;
  int read = 0;
  char month[4];
  while (*text == ' ' || *text == '\t')
    text++;
  /* NOLINTNEXTLINE(cert-err34-c): every number has a width, none overflows */
  if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &day,
             month, &year, &hour, &minute, &second, &read) != 6 ||
      read == 0 || text[read] != '\0' || strlen(month) != 3 ||
      month_number(month) == 0)
    return -1;
  if (day < 1 || day > 31 || year < 1970 || hour < 0 || minute < 0 ||
      second < 0 || hour > 23 || minute > 59 || second > 60)
    return -1;
  return (double)days_since_1970(year, month_number(month), day) * 86400 +
         hour * 3600 + minute * 60 + second;
}

static double at_most_a_day(double seconds) {
  return seconds > RETRY_AFTER_CEILING ? RETRY_AFTER_CEILING : seconds;
}

double retry_after_parse(const char *text, double now) {
  double seconds = parse_number(text);
  double date;
  if (seconds >= 0)
    return at_most_a_day(seconds);
  date = retry_after_parse_date(text);
  if (date < 0)
    return -1;
  return date <= now ? 0 : at_most_a_day(date - now);
}

double retry_after_parse_ms(const char *text) {
  double milliseconds = parse_number(text);
  return milliseconds < 0 ? -1 : at_most_a_day(milliseconds / 1000);
}
