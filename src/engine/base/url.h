/*
 * Which URLs and job ids this module is willing to use.  Pure: no look-ups.
 * Everything that came from a user or a server passes through
 * here before it reaches libcurl or a path.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_URL_H
#define GPTIMAGE2_ENGINE_URL_H

#include "limits.h"

#include <stdbool.h>
#include <stddef.h>

#define IMAGE_URL_MAX 16384U /* bytes of one that a service gives, encoded */
#define JOB_ID_MAX 256       /* bytes */

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

/* The same for a URL of any length. */
const char *url_parse_any(const char *text, Url *url);

/* What the service's own URL permits its image URLs. */
typedef struct ImageRules {
  bool plain_loopback;    /* it is on this machine: plain http to here, too */
  const char *plain_host; /* it is reached by plain http: to this host, too */
  size_t plain_host_length;
} ImageRules;

/* NULL when an image may be fetched from `text`: https, or plain http where
 * `rules` say so.  Else a few words that say why not.  The same limits as for
 * url_parse, but for the length. */
const char *url_refuse_image(const char *text, const ImageRules *rules);

/* `text` as browsers send it, in a new allocation: spaces around it are left
 * out, and what may not stand in a URL is percent-encoded behind the host (in
 * front of that it stays, to be refused).  NULL without memory. */
char *url_encode(const char *text);

bool url_is_host(const Url *url, const char *host, size_t length);

/* How many bytes of a URL may stand in a message: what comes before its query,
 * which may hold a signature.  For the precision of "%.*s". */
int url_shown(const char *text);

/* Writes the name that a service has however its URL is spelled: scheme and
 * host in small letters, no port that is the scheme's, no slash at the end.
 * What is no such URL, or is longer than URL_MAX, is its own name, cut to
 * that.  `to` has room for URL_NAME_MAX bytes. */
#define URL_NAME_MAX (URL_MAX + 8)
void url_write_name(char *to, const char *text);

/* True for the ids that may become part of a path: 1 to 256 visible ASCII
 * characters, none of them a backslash, which neither begin with "." or "/" nor
 * have a segment "." or "..". */
bool url_is_job_id(const char *text, size_t length);

/* Writes the id as a segment of a path, percent-encoded, and a NUL to `to`,
 * which has room for three times the id and that. */
void url_write_segment(char *to, const char *id);

#endif
