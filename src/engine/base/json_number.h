/*
 * The numbers of JSON, and what they are worth.  Pure; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_JSON_NUMBER_H
#define GPTIMAGE2_ENGINE_JSON_NUMBER_H

/* Behind the number at `at`; NULL when it is none. */
const char *json_skip_number(const char *at, const char *end);

/* What the number from `at` to `end` is worth; NAN where a double cannot hold
 * that exactly enough: see json_to_double. */
double json_number_value(const char *at, const char *end);

#endif
