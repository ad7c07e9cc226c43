/* The numbers of JSON: see json_number.h. */
#include "json_number.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGITS_MAX 15 /* any number of so many is exact as a double, */
#define POWER_MAX 22  /* and so is any power of ten up to this one */

static bool is_digit(const char *at, const char *end) {
  return at < end && *at >= '0' && *at <= '9';
}

/* Behind the digits at `at`; NULL when there are none. */
static const char *skip_digits(const char *at, const char *end) {
  if (!at || !is_digit(at, end))
    return NULL;
  while (is_digit(at, end))
    at++;
  return at;
}

const char *json_skip_number(const char *at, const char *end) {
  if (at < end && *at == '-')
    at++;
  at = at < end && *at == '0' ? at + 1 : skip_digits(at, end);
  if (at && at < end && *at == '.')
    at = skip_digits(at + 1, end);
  if (at && at < end && (*at == 'e' || *at == 'E')) {
    at++;
    if (at < end && (*at == '+' || *at == '-'))
      at++;
    at = skip_digits(at, end);
  }
  return at;
}

/* Reads on in a run of digits: how many count, and what number they make. */
typedef struct Digits {
  uint64_t value; /* wraps: it is not asked for when there are too many */
  int count;      /* leading zeros do not count */
} Digits;

static const char *add_digits(Digits *digits, const char *at, const char *end) {
  for (; is_digit(at, end); at++) {
    digits->value = digits->value * 10 + (uint64_t)(*at - '0');
    digits->count += digits->count > 0 || *at != '0';
  }
  return at;
}

/* The exponent at `at`, behind the "e". */
static int read_exponent(const char *at, const char *end) {
  Digits digits = {0};
  bool negative = *at == '-';
  add_digits(&digits, at + (negative || *at == '+'), end);
  if (digits.count > 3)
    return 1000;
  return negative ? -(int)digits.value : (int)digits.value;
}

double json_number_value(const char *at, const char *end) {
  static const double powers[POWER_MAX + 1] = {
      1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  bool negative = *at == '-';
  Digits digits = {0};
  double value;
  int power = 0;
  at = add_digits(&digits, at + negative, end);
  if (at < end && *at == '.') {
    const char *point = at + 1;
    at = add_digits(&digits, point, end);
    power = (int)(point - at);
  }
  if (at < end)
    power += read_exponent(at + 1, end);
  if (digits.count > DIGITS_MAX || power < -POWER_MAX || power > POWER_MAX)
    return (double)NAN;
  value = (double)digits.value;
  value = power < 0 ? value / powers[-power] : value * powers[power];
  return negative ? -value : value;
}
