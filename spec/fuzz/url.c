/*
 * Which URLs, hosts, addresses and job ids are accepted (url.c, address.c).
 * What is accepted must be taken apart just as libcurl, which will use it,
 * takes it apart: a host that is checked must be the host that is asked.
 */
#include "fuzz.h"

#include "engine/base/address.h"
#include "engine/base/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <strings.h>

static bool same_text(const char *text, const char *other, size_t length) {
  return strlen(text) == length && strncasecmp(text, other, length) == 0;
}

static bool same_ipv6(const char *bracketed, const char *host, size_t length) {
  char ours[64] = {0};
  char theirs[64] = {0};
  struct in6_addr a, b;
  size_t size = strlen(bracketed);
  if (size < 2 || size - 2 >= sizeof theirs || length >= sizeof ours)
    return false;
  memcpy(ours, host, length);
  memcpy(theirs, bracketed + 1, size - 2);
  return inet_pton(AF_INET6, ours, &a) == 1 &&
         inet_pton(AF_INET6, theirs, &b) == 1 && memcmp(&a, &b, 16) == 0;
}

/* libcurl writes 0x7f.1 as 127.0.0.1. */
static bool is_number(const char *host, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (!strchr("0123456789abcdefABCDEFxX.", host[i]))
      return false;
  return true;
}

static bool is_here(const char *host) {
  struct in_addr address;
  return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
         (inet_pton(AF_INET, host, &address) == 1 &&
          ntohl(address.s_addr) >> 24 == 127);
}

static void compare_host(const Url *url, const char *host, const char *text) {
  struct in_addr address;
  bool same = *host == '[' ? same_ipv6(host, url->host, url->host_length)
                           : same_text(host, url->host, url->host_length);
  if (!same && is_number(url->host, url->host_length))
    same = inet_pton(AF_INET, host, &address) == 1;
  check(same, "libcurl asks %s in %s", host, text);
  check(!url->loopback || is_here(host), "%s is elsewhere: %s", host, text);
}

static void compare(const Url *url, const char *text) {
  CURLU *handle = curl_url();
  char *part = NULL;
  if (!handle)
    abort();
  if (curl_url_set(handle, CURLUPART_URL, text, 0) == CURLUE_OK) {
    curl_url_get(handle, CURLUPART_HOST, &part, 0);
    check(part, "libcurl sees no host in %s", text);
    compare_host(url, part, text);
    curl_free(part);
    part = NULL;
    curl_url_get(handle, CURLUPART_SCHEME, &part, 0);
    check(strcmp(part, url->https ? "https" : "http") == 0, "the scheme");
    curl_free(part);
    part = NULL;
    curl_url_get(handle, CURLUPART_PORT, &part, 0);
    check((part ? atoi(part) : 0) == url->port, "the port in %s", text);
    curl_free(part);
    part = NULL;
    curl_url_get(handle, CURLUPART_USER, &part, 0);
    check(!part || url->userinfo, "libcurl sees a user in %s", text);
    curl_free(part);
  }
  curl_url_cleanup(handle);
}

static void look_inside(const Url *url, const char *text, size_t length) {
  const char *end = text + length;
  check(length <= URL_MAX, "longer than the maximum");
  for (size_t i = 0; i < length; i++)
    check((unsigned char)text[i] > 0x20 && (unsigned char)text[i] < 0x7f &&
              text[i] != '\\',
          "byte %02x is accepted", (unsigned char)text[i]);
  check(url->host > text && url->host + url->host_length <= end,
        "the host is not in the text");
  check(url->host_length > 0, "no host");
  for (size_t i = 0; i < url->host_length; i++)
    check(!strchr("/?#@[]%", url->host[i]), "%c in a host", url->host[i]);
  check(url->rest >= url->host + url->host_length && url->rest <= end,
        "the rest is not behind the host");
  check(*url->rest == '\0' || strchr("/?#", *url->rest), "the rest's start");
  check(url->port >= 0 && url->port <= 65535, "port %d", url->port);
  check(!memchr(url->rest, '\0', (size_t)(end - url->rest)), "a NUL inside");
}

/* Encoding changes nothing that is a URL already, and no host. */
static void try_encoded(const char *text) {
  char *once = url_encode(text);
  char *twice = once ? url_encode(once) : NULL;
  Url before, after;
  check(once && twice, "no memory");
  check(strcmp(once, twice) == 0, "encoded twice: %s", once);
  if (!url_parse(text, strlen(text), &before)) {
    check(strcmp(text, once) == 0, "a good URL was changed: %s", once);
    check(!url_parse(once, strlen(once), &after) &&
              url_is_host(&after, before.host, before.host_length),
          "another host in %s", once);
  }
  free(once);
  free(twice);
}

/* The name of a service is a URL of it, and has that name. */
static void try_name(const Url *url, const char *text) {
  char once[URL_NAME_MAX], twice[URL_NAME_MAX];
  Url named;
  url_write_name(once, text);
  url_write_name(twice, once);
  check(strcmp(once, twice) == 0, "named twice: %s", once);
  check(strlen(once) <= strlen(text), "a longer name: %s", once);
  if (url->userinfo)
    return;
  check(!url_parse(once, strlen(once), &named), "no URL: %s", once);
  check(named.https == url->https &&
            url_is_host(&named, url->host, url->host_length),
        "another service: %s", once);
}

static void try_url(const char *text, size_t length) {
  Url url;
  const char *why = url_parse(text, length, &url);
  bool near = !url_refuse_image(text, &(ImageRules){.plain_loopback = true});
  bool far = !url_refuse_image(text, &(ImageRules){0});
  int shown = url_shown(text);
  check(shown >= 0 && (size_t)shown <= strlen(text) && shown <= 300,
        "%d bytes shown", shown);
  check(!memchr(text, '?', (size_t)shown), "a query is shown");
  check(!far || near, "less is more");
  if (strlen(text) != length) {
    check(why, "a NUL inside is accepted");
    return;
  }
  try_encoded(text);
  if (why) {
    check((!near && !far) || length > URL_MAX,
          "refused, and yet to be downloaded");
    return;
  }
  look_inside(&url, text, length);
  try_name(&url, text);
  check(far == (url.https && !url.userinfo), "which may be downloaded");
  check(near == (far || (url.loopback && !url.userinfo)), "which may, here");
  compare(&url, text);
}

static void try_job_id(const char *text, size_t length) {
  static const char path[] = "https://example.com/api/jobs/";
  char url[sizeof path + 3 * JOB_ID_MAX];
  char *segment = url + sizeof path - 1;
  char id[JOB_ID_MAX + 1];
  Url parts;
  if (!url_is_job_id(text, length))
    return;
  check(length >= 1 && length <= JOB_ID_MAX, "an id of %zu bytes", length);
  memcpy(id, text, length);
  id[length] = '\0';
  check(strlen(id) == length, "a NUL in an id");
  memcpy(url, path, sizeof path);
  url_write_segment(segment, id);
  check(!url_parse(url, strlen(url), &parts), "an id spoils its URL");
  check(strspn(segment, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789-._~%") == strlen(segment),
        "%s in a path", segment);
  check(segment[0] != '.', "an id leads elsewhere");
}

static bool is_private4(uint32_t a) {
  return a >> 24 == 127 || a >> 24 == 10 || a >> 24 == 0 || a >> 20 == 0xac1 ||
         a >> 16 == 0xc0a8 || a >> 16 == 0xa9fe || a >> 28 >= 0xe;
}

static void try_address(const uint8_t *data, size_t size) {
  struct sockaddr_in v4 = {.sin_family = AF_INET};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
  const struct in6_addr *a = &v6.sin6_addr;
  uint32_t last;
  if (size < 16)
    return;
  memcpy(&v4.sin_addr, data + 12, 4);
  memcpy(&v6.sin6_addr, data, 16);
  last = ntohl(v4.sin_addr.s_addr);
  if (address_is_public((const struct sockaddr *)&v4))
    check(!is_private4(last), "%08x is public", last);
  if (!address_is_public((const struct sockaddr *)&v6))
    return;
  check(!IN6_IS_ADDR_LOOPBACK(a) && !IN6_IS_ADDR_UNSPECIFIED(a) &&
            !IN6_IS_ADDR_LINKLOCAL(a) && !IN6_IS_ADDR_SITELOCAL(a) &&
            !IN6_IS_ADDR_MULTICAST(a) && !IN6_IS_ADDR_V4COMPAT(a) &&
            (data[0] & 0xfe) != 0xfc,
        "a private IPv6 address is public");
  check(!IN6_IS_ADDR_V4MAPPED(a) || !is_private4(last), "mapped %08x", last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input = {data, data + size};
  size_t length;
  char *text = input_text(&input, '\n', true, &length);
  try_url(text, length);
  free(text);
  input.at = data;
  text = input_text(&input, '\n', false, &length);
  try_job_id(text, length);
  address_is_ipv6(text, length);
  if (address_is_loopback_name(text, length))
    check(length < INET6_ADDRSTRLEN, "a long name of this machine");
  free(text);
  try_address(data, size);
  return 0;
}
