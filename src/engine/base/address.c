/* Which network addresses are public: see address.h. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

typedef struct Range4 {
  uint32_t network;
  int bits;
} Range4;

/* IANA IPv4 special-purpose registry: what is not globally reachable. */
static const Range4 special4[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* carrier-grade NAT */
    {0x7f000000, 8},  /* loopback */
    {0xa9fe0000, 16}, /* link-local, and cloud metadata services */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* protocol assignments */
    {0xc0000200, 24}, /* documentation */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* benchmarking */
    {0xc6336400, 24}, /* documentation */
    {0xcb007100, 24}, /* documentation */
    {0xe0000000, 3},  /* multicast, reserved, broadcast */
};

static bool is_public4(uint32_t address) {
  for (size_t i = 0; i < sizeof special4 / sizeof *special4; i++)
    if ((address ^ special4[i].network) >> (32 - special4[i].bits) == 0)
      return false;
  return true;
}

static uint32_t read4(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
         (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

static bool is_public6(const uint8_t *a) {
  static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
  if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
    return is_public4(read4(a + 12));
  if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 wraps an IPv4 address */
    return is_public4(read4(a + 2));
  if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 0x02)
    return false; /* Teredo and other protocol assignments, 2001::/23 */
  if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8)
    return false; /* documentation */
  if (a[0] == 0x3f && a[1] == 0xff && a[2] < 0x10)
    return false;               /* documentation, 3fff::/20 */
  return (a[0] & 0xe0) == 0x20; /* global unicast is 2000::/3, nothing else */
}

bool address_is_public(const struct sockaddr *address) {
  if (address->sa_family == AF_INET) {
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof v4);
    return is_public4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    return is_public6(v6.sin6_addr.s6_addr);
  }
  return false;
}

bool address_is_public_text(const char *text) {
  struct sockaddr_in v4 = {.sin_family = AF_INET};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
    return address_is_public((const struct sockaddr *)&v4);
  return inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 &&
         address_is_public((const struct sockaddr *)&v6);
}

/* Copies `text` into a NUL-terminated `out`; false when it is too long. */
static bool copy_text(char *out, size_t size, const char *text, size_t length) {
  if (length >= size)
    return false;
  memcpy(out, text, length);
  out[length] = '\0';
  return true;
}

bool address_is_ipv6(const char *text, size_t length) {
  char copy[INET6_ADDRSTRLEN];
  struct in6_addr address;
  return copy_text(copy, sizeof copy, text, length) &&
         inet_pton(AF_INET6, copy, &address) == 1;
}

bool address_is_loopback_name(const char *host, size_t length) {
  char copy[INET6_ADDRSTRLEN];
  struct in_addr v4;
  struct in6_addr v6;
  if (!copy_text(copy, sizeof copy, host, length))
    return false;
  if (strcasecmp(copy, "localhost") == 0)
    return true;
  if (inet_pton(AF_INET, copy, &v4) == 1)
    return ntohl(v4.s_addr) >> 24 == 127;
  if (inet_pton(AF_INET6, copy, &v6) == 1)
    return IN6_IS_ADDR_LOOPBACK(&v6);
  return false;
}
