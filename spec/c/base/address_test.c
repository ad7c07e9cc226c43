/* Which addresses are public: the edges of every special range. */
#include "check.h"

#include "engine/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static bool is_public(const char *text) {
  struct sockaddr_in v4 = {.sin_family = AF_INET};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
    return address_is_public((struct sockaddr *)&v4);
  check(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1, "%s", text);
  return address_is_public((struct sockaddr *)&v6);
}

/* A range that is not public; its neighbours are, where they are named. */
typedef struct Range {
  const char *before, *first, *last, *after;
} Range;

static const Range ranges[] = {
    {NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
    {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
    {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
    {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
    {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
    {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
    {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
    {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
    {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
    {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
    {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
    {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
    {"223.255.255.255", "224.0.0.0", "255.255.255.255", NULL},
    /* IPv6: everything outside 2000::/3 … */
    {NULL, "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
    {NULL, "::1", "::2", NULL},
    {NULL, "::8.8.8.8", "64:ff9a::8.8.8.8", NULL},
    {NULL, "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:8.8.8.8", NULL},
    {NULL, "100::", "100::ffff:ffff:ffff:ffff", NULL},
    {"3ffe:ffff::", "4000::", "ffff:ffff::", NULL},
    {NULL, "5f00::", "fc00::1", NULL},
    {NULL, "fd00::1", "fe80::1", NULL},
    {NULL, "febf::1", "ff02::1", NULL},
    /* … and some of what is inside */
    {"2000:ffff::", "2001::", "2001:1ff:ffff::", "2001:200::"},
    {"2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::", "2001:db9::"},
    {"3ffe:ffff::", "3fff::", "3fff:fff:ffff::", "3fff:1000::"},
};

static void special_ranges_are_not_public_their_neighbours_are(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(ranges); i++) {
    const Range *range = &ranges[i];
    check(!range->before || is_public(range->before), "%s", range->before);
    check(!is_public(range->first), "%s is public", range->first);
    check(!is_public(range->last), "%s is public", range->last);
    check(!range->after || is_public(range->after), "%s", range->after);
  }
}

static void well_known_hosts_are_public(void **state) {
  static const char *const rows[] = {"1.1.1.1",
                                     "8.8.8.8",
                                     "223.255.255.255",
                                     "2606:4700::1111",
                                     "2001:4860:4860::8888",
                                     "2a00:1450::1"};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    check(is_public(rows[i]), "%s is not public", rows[i]);
}

/* IPv6 forms that carry an IPv4 address are as public as that one is. */
static void wrapped_addresses_are_unwrapped(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(ranges); i++) {
    const char *edges[] = {ranges[i].before, ranges[i].first, ranges[i].last,
                           ranges[i].after};
    for (size_t k = 0; k < 4; k++) {
      struct in_addr v4;
      const uint8_t *b = (const uint8_t *)&v4;
      char text[64];
      if (!edges[k] || inet_pton(AF_INET, edges[k], &v4) != 1)
        continue;
      snprintf(text, sizeof text, "::ffff:%s", edges[k]);
      check(is_public(text) == is_public(edges[k]), "mapped %s", text);
      snprintf(text, sizeof text, "64:ff9b::%s", edges[k]);
      check(is_public(text) == is_public(edges[k]), "nat64 %s", text);
      snprintf(text, sizeof text, "2002:%02x%02x:%02x%02x::1", b[0], b[1], b[2],
               b[3]);
      check(is_public(text) == is_public(edges[k]), "6to4 %s", text);
    }
  }
  assert_false(is_public("2002:7f00:1::1"));
  assert_false(is_public("2002:a9fe:a9fe::"));
  assert_true(is_public("2002:808:808::"));
}

static void other_families_are_not_public(void **state) {
  struct sockaddr_un local = {.sun_family = AF_UNIX};
  struct sockaddr_in unknown = {.sin_family = AF_UNSPEC,
                                .sin_addr.s_addr = 0x08080808};
  (void)state;
  assert_false(address_is_public((struct sockaddr *)&local));
  assert_false(address_is_public((struct sockaddr *)&unknown));
}

static void loopback_is_known_by_name(void **state) {
  static const struct {
    const char *host;
    bool loopback;
  } rows[] = {
      {"localhost", true},
      {"LOCALHOST", true},
      {"127.0.0.1", true},
      {"127.255.255.254", true},
      {"::1", true},
      {"0:0:0:0:0:0:0:1", true},
      {"localhost.", false},
      {"localhos", false},
      {"localhost6", false},
      {"126.255.255.255", false},
      {"128.0.0.0", false},
      {"127.0.0", false},
      {"127.0.0.1 ", false},
      {"::", false},
      {"::ffff:127.0.0.1", false},
      {"[::1]", false},
      {"", false},
      {"a-name-that-is-longer-than-any-address-can-ever-be.example", false}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    check(address_is_loopback_name(rows[i].host, strlen(rows[i].host)) ==
              rows[i].loopback,
          "%s", rows[i].host);
  assert_true(address_is_loopback_name("localhost.evil", 9));
  assert_false(address_is_loopback_name("localhost", 8));
}

static void ipv6_texts_are_known(void **state) {
  static const struct {
    const char *text;
    bool valid;
  } rows[] = {{"::", true},
              {"::1", true},
              {"1:2:3:4:5:6:7:8", true},
              {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", true},
              {"::1.2.3.4", true},
              {"", false},
              {":", false},
              {"1.2.3.4", false},
              {"1:2:3:4:5:6:7", false},
              {"1:2:3:4:5:6:7:8:9", false},
              {"::12345", false},
              {"fe80::1%eth0", false},
              {"::1 ", false},
              {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555", false}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    check(address_is_ipv6(rows[i].text, strlen(rows[i].text)) == rows[i].valid,
          "%s", rows[i].text);
  assert_true(address_is_ipv6("::1]", 3));
}

static void addresses_in_words_are_the_same(void **state) {
  (void)state;
  assert_true(address_is_public_text("8.8.8.8"));
  assert_true(address_is_public_text("2001:4860::8888"));
  assert_false(address_is_public_text("127.0.0.1"));
  assert_false(address_is_public_text("169.254.169.254"));
  assert_false(address_is_public_text("::1"));
  assert_false(address_is_public_text("::ffff:10.0.0.1"));
  assert_false(address_is_public_text("fe80::1"));
  assert_false(address_is_public_text(""));
  assert_false(address_is_public_text("localhost"));
  assert_false(address_is_public_text("/run/socket"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(special_ranges_are_not_public_their_neighbours_are),
      cmocka_unit_test(well_known_hosts_are_public),
      cmocka_unit_test(wrapped_addresses_are_unwrapped),
      cmocka_unit_test(other_families_are_not_public),
      cmocka_unit_test(loopback_is_known_by_name),
      cmocka_unit_test(ipv6_texts_are_known),
      cmocka_unit_test(addresses_in_words_are_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
