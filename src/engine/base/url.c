/* Which URLs and job ids this module is willing to use: see url.h. */
#include "url.h"

#include "address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SHOWN_MAX 300 /* bytes of a URL in a message */

static bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

/* Printable ASCII without space, quotes that break headers, and backslash
 * (which browsers and some servers read as a slash). */
static bool has_only_url_bytes(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c))
      return false;
  }
  return true;
}

static const char *skip_scheme(const char *text, Url *url) {
  if (strncasecmp(text, "https://", 8) == 0) {
    url->https = true;
    return text + 8;
  }
  if (strncasecmp(text, "http://", 7) == 0)
    return text + 7;
  return NULL;
}

static bool is_host_name(const char *host, size_t length) {
  if (length == 0 || length > 253 || host[0] == '.' || host[0] == '-')
    return false;
  for (size_t i = 0; i < length; i++) {
    if (!is_alnum(host[i]) && host[i] != '.' && host[i] != '-' &&
        host[i] != '_')
      return false;
    if (host[i] == '.' && i > 0 && host[i - 1] == '.')
      return false;
  }
  return true;
}

/* Digits 1-65535; 0 for an empty text, -1 for anything else. */
static int parse_port(const char *text, size_t length) {
  int port = 0;
  if (length > 5)
    return -1;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9')
      return -1;
    port = port * 10 + (text[i] - '0');
  }
  return length > 0 && (port < 1 || port > 65535) ? -1 : port;
}

/* "[::1]:80" */
static const char *parse_bracketed(const char *text, size_t length, Url *url) {
  const char *close = memchr(text, ']', length);
  const char *end = text + length;
  if (!close)
    return "its IPv6 host has no closing bracket";
  url->host = text + 1;
  url->host_length = (size_t)(close - text - 1);
  if (!address_is_ipv6(url->host, url->host_length))
    return "its IPv6 host is not an address";
  if (close + 1 == end)
    return NULL;
  url->port =
      close[1] == ':' ? parse_port(close + 2, (size_t)(end - close - 2)) : -1;
  return url->port < 0 ? "its port is not a number from 1 to 65535" : NULL;
}

/* "host", "host:80" */
static const char *parse_named(const char *text, size_t length, Url *url) {
  const char *colon = memchr(text, ':', length);
  url->host = text;
  url->host_length = colon ? (size_t)(colon - text) : length;
  if (!is_host_name(url->host, url->host_length))
    return url->host_length ? "its host name is not valid" : "it has no host";
  if (colon) {
    url->port = parse_port(colon + 1, length - url->host_length - 1);
    if (url->port < 0)
      return "its port is not a number from 1 to 65535";
  }
  return NULL;
}

static const char *parse(const char *text, size_t length, Url *url) {
  const char *authority;
  const char *at;
  const char *why;
  size_t size;
  *url = (Url){0};
  if (!has_only_url_bytes(text, length))
    return "it contains a space, a control character or a byte that must be "
           "percent-encoded";
  authority = skip_scheme(text, url);
  if (!authority)
    return "it does not start with http:// or https://";
  size = strcspn(authority, "/?#");
  url->rest = authority + size;
  /* The last @ ends the userinfo: what stands before it is never the host. */
  for (at = authority + size; at > authority && at[-1] != '@'; at--)
    ;
  url->userinfo = at > authority;
  size -= (size_t)(at - authority);
  why =
      *at == '[' ? parse_bracketed(at, size, url) : parse_named(at, size, url);
  if (!why)
    url->loopback = address_is_loopback_name(url->host, url->host_length);
  return why;
}

const char *url_parse(const char *text, size_t length, Url *url) {
  *url = (Url){0};
  return length > URL_MAX ? "it is longer than " LIMIT_TEXT(URL_MAX) " bytes"
                          : parse(text, length, url);
}

const char *url_parse_any(const char *text, Url *url) {
  return parse(text, strlen(text), url);
}

bool url_is_host(const Url *url, const char *host, size_t length) {
  return url->host_length == length &&
         strncasecmp(url->host, host, length) == 0;
}

static bool may_be_plain(const Url *url, const ImageRules *rules) {
  return (url->loopback && rules->plain_loopback) ||
         (rules->plain_host &&
          url_is_host(url, rules->plain_host, rules->plain_host_length));
}

const char *url_refuse_image(const char *text, const ImageRules *rules) {
  size_t length = strlen(text);
  const char *why;
  Url url;
  if (length > IMAGE_URL_MAX)
    return "it is longer than 16 KiB";
  why = parse(text, length, &url);
  if (why)
    return why;
  if (url.userinfo)
    return "it holds a user name";
  if (!url.https && !may_be_plain(&url, rules))
    return "it is plain http, and not to the host of base_url";
  return NULL;
}

/* Control characters and backslashes are no accident: they stay, and the URL is
 * refused. */
static bool must_be_encoded(unsigned char c) {
  return c == ' ' || c >= 0x80 || (c && strchr("\"<>^`{|}", c));
}

char *url_encode(const char *text) {
  static const char digits[] = "0123456789ABCDEF";
  size_t length, front;
  char *encoded, *at;
  text += strspn(text, " ");
  length = strlen(text);
  while (length > 0 && text[length - 1] == ' ')
    length--;
  encoded = at = malloc(3 * length + 1);
  if (!encoded)
    return NULL;
  front = strcspn(text, ":");
  front += strspn(text + front, ":/");
  front += strcspn(text + front, "/?#\\");
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (i < front || !must_be_encoded(c)) {
      *at++ = text[i];
      continue;
    }
    /* cppcheck-suppress uninitdata ; it is being written */
    *at++ = '%';
    *at++ = digits[c >> 4];
    *at++ = digits[c & 15];
  }
  *at = '\0';
  return encoded;
}

int url_shown(const char *text) {
  size_t length = strcspn(text, "?#");
  return length < SHOWN_MAX ? (int)length : SHOWN_MAX;
}

static char to_lower(char c) {
  return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

void url_write_name(char *to, const char *text) {
  const char *bracket;
  char port[8] = "";
  size_t rest;
  Url url;
  if (url_parse(text, strlen(text), &url) || url.userinfo) {
    snprintf(to, URL_NAME_MAX, "%.*s", URL_MAX, text);
    return;
  }
  if (url.port && url.port != (url.https ? 443 : 80))
    snprintf(port, sizeof port, ":%d", url.port);
  rest = strlen(url.rest);
  while (rest > 0 && url.rest[rest - 1] == '/')
    rest--;
  bracket = url.host[-1] == '[' ? "[" : "";
  to += snprintf(to, URL_NAME_MAX, "%s%s", url.https ? "https://" : "http://",
                 bracket);
  for (size_t i = 0; i < url.host_length; i++)
    *to++ = to_lower(url.host[i]);
  snprintf(to, URL_NAME_MAX - 9 - url.host_length, "%s%s%.*s",
           *bracket ? "]" : "", port, (int)rest, url.rest);
}

/* "." or "..": it would lead elsewhere, whoever takes a "/" for one. */
static bool is_dots(const char *segment, size_t length) {
  return length <= 2 && length > 0 && segment[0] == '.' &&
         segment[length - 1] == '.';
}

bool url_is_job_id(const char *text, size_t length) {
  size_t segment = 0;
  if (length < 1 || length > JOB_ID_MAX || text[0] == '.' || text[0] == '/')
    return false;
  for (size_t i = 0; i < length; i++) {
    if (text[i] <= ' ' || text[i] > '~' || text[i] == '\\')
      return false;
    if (text[i] != '/')
      continue;
    if (is_dots(text + segment, i - segment))
      return false;
    segment = i + 1;
  }
  return !is_dots(text + segment, length - segment);
}

void url_write_segment(char *to, const char *id) {
  static const char digits[] = "0123456789ABCDEF";
  for (; *id; id++) {
    unsigned char c = (unsigned char)*id;
    if (is_alnum(*id) || strchr("-._~", c)) {
      *to++ = *id;
      continue;
    }
    *to++ = '%';
    *to++ = digits[c >> 4];
    *to++ = digits[c & 15];
  }
  *to = '\0';
}
