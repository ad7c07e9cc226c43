/*
 * Which URLs and job ids this module is willing to use.  Pure: no look-ups, no
 * allocation.  Everything that came from a user or a server passes through
 * here before it reaches libcurl or a path.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_URL_H
#define GPTIMAGE2_ENGINE_URL_H

#include <stdbool.h>
#include <stddef.h>

#define URL_MAX 2048   /* bytes, design: "absolute http(s) URLs of at most" */
#define JOB_ID_MAX 128 /* bytes */

typedef struct Url {
  bool https;       /* else plain http */
  bool userinfo;    /* has a "user:password@" part */
  bool loopback;    /* the host is localhost, 127/8 or ::1, by its name alone */
  const char *host; /* points into the text; without the brackets of IPv6 */
  size_t host_length;
  int port;         /* 0 when the text names none */
  const char *rest; /* path, query and fragment: "" or starts with / ? # */
} Url;

/* Takes an absolute http or https URL apart.  `text` holds `length` bytes and a
 * closing NUL.  NULL when it is one; else a few words that say what is wrong.
 * `url` points into `text`. */
const char *url_parse(const char *text, size_t length, Url *url);

/* True when an image may be fetched from `text`: https, or plain http to this
 * machine where `allow_plain_loopback` says the service itself lives there. */
bool url_may_download(const char *text, bool allow_plain_loopback);

/* How many bytes of a URL may stand in a message: what comes before its query,
 * which may hold a signature.  For the precision of "%.*s". */
int url_shown(const char *text);

/* True for ^[A-Za-z0-9_-]{1,128}$: the ids that may become part of a path. */
bool url_is_job_id(const char *text, size_t length);

#endif
