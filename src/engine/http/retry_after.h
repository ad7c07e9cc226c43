/*
 * Reading the Retry-After header (RFC 9110, 10.2.3) and its millisecond
 * cousin.  Pure; any thread, once libcurl is loaded.
 */
#ifndef GPTIMAGE2_ENGINE_RETRY_AFTER_H
#define GPTIMAGE2_ENGINE_RETRY_AFTER_H

/* Longest wait that is believed: one day, in seconds. */
#define RETRY_AFTER_CEILING 86400.0

/* Seconds that an answer asks to wait, by the values of its headers
 * Retry-After-Ms (a number), which counts where both are given, Retry-After (a
 * number, or a date as curl_getdate reads it) and Date, which its dates are
 * measured by, or else `now`, wall-clock seconds since 1970.  Each may be NULL.
 * Negative when nothing is asked, or nothing that can be read; 0 for a date in
 * the past. */
double retry_after_read(const char *milliseconds, const char *text,
                        const char *date, double now);

#endif
