/*
 * Reading the Retry-After header (RFC 9110, 10.2.3) and its millisecond
 * cousin.  Pure; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_RETRY_AFTER_H
#define GPTIMAGE2_ENGINE_RETRY_AFTER_H

/* Longest wait that is believed: one day, in seconds. */
#define RETRY_AFTER_CEILING 86400.0

/* Seconds from "120" or "Sun, 06 Nov 1994 08:49:37 GMT"; `now` is wall-clock
 * seconds since 1970.  Negative when the text is neither; a date in the past
 * is 0. */
double retry_after_parse(const char *text, double now);

/* Seconds since 1970 of a date in that form; negative when it is none. */
double retry_after_parse_date(const char *text);

/* Seconds from the value of a retry-after-ms header; negative when it is not a
 * number. */
double retry_after_parse_ms(const char *text);

#endif
