/* URLs and job ids: what is taken apart, and what is refused. */
#include "check.h"

#include "engine/base/url.h"

#include <stdlib.h>
#include <string.h>

#define HTTPS 1
#define USER 2
#define LOOP 4

typedef struct Good {
  const char *text;
  unsigned flags;
  const char *host;
  int port;
  const char *rest;
} Good;

static const Good good[] = {
    {"https://gptimage2.ai", HTTPS, "gptimage2.ai", 0, ""},
    {"https://gptimage2.ai/", HTTPS, "gptimage2.ai", 0, "/"},
    {"http://example.com/a/b?c=d#e", 0, "example.com", 0, "/a/b?c=d#e"},
    {"HTTPS://Example.COM", HTTPS, "Example.COM", 0, ""},
    {"hTTp://example.com?x", 0, "example.com", 0, "?x"},
    {"http://example.com#x", 0, "example.com", 0, "#x"},
    {"http://example.com:1", 0, "example.com", 1, ""},
    {"http://example.com:65535/x", 0, "example.com", 65535, "/x"},
    {"http://example.com:00080/x", 0, "example.com", 80, "/x"},
    {"http://example.com:/x", 0, "example.com", 0, "/x"},
    {"http://under_score.example", 0, "under_score.example", 0, ""},
    {"http://xn--bcher-kva.example", 0, "xn--bcher-kva.example", 0, ""},
    {"http://8.8.8.8:8080/x", 0, "8.8.8.8", 8080, "/x"},
    {"https://[2001:4860::8888]/x", HTTPS, "2001:4860::8888", 0, "/x"},
    {"http://[2001:db8::1]:99?q", 0, "2001:db8::1", 99, "?q"},
    {"http://[::ffff:1.2.3.4]", 0, "::ffff:1.2.3.4", 0, ""},
    /* loopback, by name */
    {"http://localhost:8080", LOOP, "localhost", 8080, ""},
    {"http://LocalHost", LOOP, "LocalHost", 0, ""},
    {"http://127.0.0.1", LOOP, "127.0.0.1", 0, ""},
    {"http://127.255.255.255", LOOP, "127.255.255.255", 0, ""},
    {"https://[::1]:443/", HTTPS | LOOP, "::1", 443, "/"},
    {"http://[0:0:0:0:0:0:0:1]", LOOP, "0:0:0:0:0:0:0:1", 0, ""},
    /* not loopback, although they look like it */
    {"http://localhost.example.com", 0, "localhost.example.com", 0, ""},
    {"http://127.0.0.1.example.com", 0, "127.0.0.1.example.com", 0, ""},
    {"http://126.255.255.255", 0, "126.255.255.255", 0, ""},
    {"http://128.0.0.0", 0, "128.0.0.0", 0, ""},
    {"http://127.1", 0, "127.1", 0, ""},
    {"http://0127.0.0.1", 0, "0127.0.0.1", 0, ""},
    {"http://0x7f.0.0.1", 0, "0x7f.0.0.1", 0, ""},
    {"http://2130706433", 0, "2130706433", 0, ""},
    {"http://[::2]", 0, "::2", 0, ""},
    {"http://0.0.0.0", 0, "0.0.0.0", 0, ""},
    /* what stands before the last @ is never the host */
    {"http://user@example.com/", USER, "example.com", 0, "/"},
    {"http://user:password@example.com:9", USER, "example.com", 9, ""},
    {"http://@example.com", USER, "example.com", 0, ""},
    {"http://a@b@c", USER, "c", 0, ""},
    {"http://localhost@evil.example", USER, "evil.example", 0, ""},
    {"http://127.0.0.1:80@evil.example", USER, "evil.example", 0, ""},
    {"http://[::1]@evil.example", USER, "evil.example", 0, ""},
    {"http://evil.example@localhost", USER | LOOP, "localhost", 0, ""},
    {"http://a:b@[::1]:5/x", USER | LOOP, "::1", 5, "/x"},
    /* an @ after the host is none */
    {"http://example.com/@localhost", 0, "example.com", 0, "/@localhost"},
    {"http://example.com?@localhost", 0, "example.com", 0, "?@localhost"},
    {"http://example.com#@localhost", 0, "example.com", 0, "#@localhost"},
    {"http://example.com//x:80/", 0, "example.com", 0, "//x:80/"},
};

static void good_urls_are_taken_apart(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(good); i++) {
    const Good *row = &good[i];
    const char *why;
    Url url;
    why = url_parse(row->text, strlen(row->text), &url);
    check(!why, "%s: refused, %s", row->text, why);
    check(url.https == ((row->flags & HTTPS) != 0), "%s: scheme", row->text);
    check(url.userinfo == ((row->flags & USER) != 0), "%s: user", row->text);
    check(url.loopback == ((row->flags & LOOP) != 0), "%s: loop", row->text);
    check(url.port == row->port, "%s: port %d", row->text, url.port);
    check(strcmp(url.rest, row->rest) == 0, "%s: %s", row->text, url.rest);
    check(url.host_length == strlen(row->host) &&
              memcmp(url.host, row->host, url.host_length) == 0,
          "%s: host %.*s", row->text, (int)url.host_length, url.host);
  }
}

typedef struct Bad {
  const char *text;
  const char *word; /* of the explanation */
} Bad;

static const Bad bad[] = {
    {"", "http://"},
    {"http:", "http://"},
    {"http:/", "http://"},
    {"http:/example.com", "http://"},
    {"http:example.com", "http://"},
    {"//example.com", "http://"},
    {"example.com", "http://"},
    {"ftp://example.com", "http://"},
    {"file:///etc/passwd", "http://"},
    {"javascript:alert(1)", "http://"},
    {"data:image/png;base64,AA", "http://"},
    {"httpss://example.com", "http://"},
    {"xhttp://example.com", "http://"},
    {" http://example.com", "space"},
    {"http://example.com ", "space"},
    {"http://exam ple.com", "space"},
    {"http://example.com/a b", "space"},
    {"http://example.com/\t", "control"},
    {"http://example.com/\r\nX-Evil: 1", "control"},
    {"http://example.com/\x7f", "control"},
    {"http://example.com/\x01", "control"},
    {"http://example.com/\xc3\xa9", "percent-encoded"},
    {"http://example.com\\@localhost", "percent-encoded"},
    {"http:\\\\example.com", "percent-encoded"},
    {"http://example.com/\"", "percent-encoded"},
    {"http://example.com/<x>", "percent-encoded"},
    {"http://example.com/`x`", "percent-encoded"},
    {"http://example.com/{ext}", "percent-encoded"},
    {"http://example.com/a|b^c", "percent-encoded"},
    {"http://", "no host"},
    {"http:///path", "no host"},
    {"http://?query", "no host"},
    {"http://#fragment", "no host"},
    {"http://:80", "no host"},
    {"http://user@", "no host"},
    {"http://user@:80", "no host"},
    {"http://.example.com", "host name"},
    {"http://-example.com", "host name"},
    {"http://a..b", "host name"},
    {"http://exa%6dple.com", "host name"},
    {"http://example,com", "host name"},
    {"http://*.example.com", "host name"},
    {"http://example.com[::1]", "host name"},
    {"http://]", "host name"},
    {"http://example.com:0", "port"},
    {"http://example.com:65536", "port"},
    {"http://example.com:99999", "port"},
    {"http://example.com:100000", "port"},
    {"http://example.com:8o", "port"},
    {"http://example.com:-1", "port"},
    {"http://example.com:+1", "port"},
    {"http://example.com:80:80", "port"},
    {"http://::1", "no host"},
    {"http://fe80::1", "port"},
    {"http://[::1", "bracket"},
    {"http://[", "bracket"},
    {"http://[/]", "bracket"},
    {"http://[]", "not an address"},
    {"http://[1.2.3.4]", "not an address"},
    {"http://[localhost]", "not an address"},
    {"http://[::g]", "not an address"},
    {"http://[1::2::3]", "not an address"},
    {"http://[fe80::1%25eth0]", "not an address"},
    {"http://[v1.x]", "not an address"},
    {"http://[0000:0000:0000:0000:0000:0000:0000:0000:0001]", "not an address"},
    {"http://[::1]x", "port"},
    {"http://[::1]80", "port"},
    {"http://[::1]:0", "port"},
    {"http://[::1]:65536", "port"},
    {"http://[::1].example.com", "port"},
};

static void bad_urls_are_refused_with_a_reason(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(bad); i++) {
    const char *text = bad[i].text;
    Url url;
    const char *why = url_parse(text, strlen(text), &url);
    check(why != NULL, "%s: accepted", text);
    check(why && strstr(why, bad[i].word), "%s: %s", text, why);
  }
}

static void every_byte_that_is_not_for_urls_is_refused(void **state) {
  char text[] = "http://example.com/?";
  (void)state;
  for (unsigned byte = 0; byte < 256; byte++) {
    bool fine = byte > 0x20 && byte < 0x7f && !strchr("\"<>\\^`{|}", (int)byte);
    Url url;
    text[sizeof text - 2] = (char)byte;
    check((url_parse(text, sizeof text - 1, &url) == NULL) == fine, "byte %u",
          byte);
  }
}

static void a_nul_inside_does_not_hide_the_rest(void **state) {
  static const char text[] = "http://localhost\0.evil.example/";
  Url url;
  (void)state;
  assert_non_null(url_parse(text, sizeof text - 1, &url));
}

static void a_service_has_one_name(void **state) {
  static const char *const names[][2] = {
      {"https://gptimage2.ai", "https://gptimage2.ai"},
      {"HTTPS://GPTImage2.AI:443//", "https://gptimage2.ai"},
      {"https://gptimage2.ai:80", "https://gptimage2.ai:80"},
      {"hTTp://Example.com:00080/A/b/", "http://example.com/A/b"},
      {"http://example.com:443", "http://example.com:443"},
      {"http://example.com:", "http://example.com"},
      {"http://[::FFFF:1.2.3.4]:80/", "http://[::ffff:1.2.3.4]"},
      {"http://[::1]:8080", "http://[::1]:8080"},
      {"http://example.com/?Q=/", "http://example.com/?Q="},
      {"HTTP://User@Host", "HTTP://User@Host"}, /* none of a service */
      {"Nonsense", "Nonsense"},
      {"", ""},
  };
  char name[URL_NAME_MAX], text[URL_MAX + 200], longest[URL_MAX + 1];
  (void)state;
  for (size_t i = 0; i < COUNT(names); i++) {
    url_write_name(name, names[i][0]);
    assert_string_equal(name, names[i][1]);
  }
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  url_write_name(name, text);
  assert_int_equal(strlen(name), URL_MAX);
  memset(longest, 'x', sizeof longest);
  memcpy(longest, "http://[::1]:8080/", 18);
  longest[URL_MAX] = '\0';
  url_write_name(name, longest);
  assert_string_equal(name, longest);
}

static void long_urls_and_hosts_are_refused(void **state) {
  char text[URL_MAX + 2];
  Url url;
  (void)state;
  memset(text, 'a', sizeof text);
  memcpy(text, "http://b/", 9);
  text[URL_MAX] = '\0';
  assert_null(url_parse(text, URL_MAX, &url));
  text[URL_MAX] = 'a';
  text[URL_MAX + 1] = '\0';
  assert_non_null(strstr(url_parse(text, URL_MAX + 1, &url), "2048"));
  memset(text, 'a', sizeof text);
  memcpy(text, "http://", 7);
  memcpy(text + 7 + 253, "/", 2);
  assert_null(url_parse(text, strlen(text), &url));
  memcpy(text + 7 + 253, "a/", 3);
  assert_non_null(url_parse(text, strlen(text), &url));
}

static void downloads_are_https_or_plain_to_where_the_service_is(void **state) {
  static const ImageRules remote = {0}, local = {.plain_loopback = true},
                          plain = {.plain_host = "gate.way",
                                   .plain_host_length = 8};
  static const struct {
    const char *text;
    bool beside_remote, beside_local, beside_plain;
  } rows[] = {
      {"https://files.example/a.png", true, true, true},
      {"http://files.example/a.png", false, false, false},
      {"http://localhost:80/a.png", false, true, false},
      {"http://127.0.0.1/a.png", false, true, false},
      {"http://[::1]/a.png", false, true, false},
      {"https://[::1]/a.png", true, true, true},
      {"http://10.0.0.1/a.png", false, false, false},
      {"http://gate.way/a.png", false, false, true},
      {"http://GATE.way:8080/a.png", false, false, true},
      {"http://gate.way.evil.example/a.png", false, false, false},
      {"http://gate.way@evil.example/a.png", false, false, false},
      {"http://user@gate.way/a.png", false, false, false},
      {"http://localhost@evil.example/a.png", false, false, false},
      {"https://user@files.example/a.png", false, false, false},
      {"http://user@localhost/a.png", false, false, false},
      {"file:///etc/passwd", false, false, false},
      {"https://", false, false, false},
      {"", false, false, false},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    const char *text = rows[i].text;
    check(!url_refuse_image(text, &remote) == rows[i].beside_remote, "%s",
          text);
    check(!url_refuse_image(text, &local) == rows[i].beside_local, "%s", text);
    check(!url_refuse_image(text, &plain) == rows[i].beside_plain, "%s", text);
  }
}

static void what_is_wrong_with_an_image_url_is_told(void **state) {
  static const struct {
    const char *text, *why;
  } rows[] = {{"http://files.example/a", "plain http"},
              {"https://user@files.example/a", "a user name"},
              {"ftp://files.example/a", "http:// or https://"},
              {"https:///a", "no host"},
              {"https://a.example:0/a", "port"},
              {"https://a.example/\r\n", "control character"}};
  static const ImageRules none = {0};
  static char longest[IMAGE_URL_MAX + 2];
  const char *why;
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    why = url_refuse_image(rows[i].text, &none);
    check(why && strstr(why, rows[i].why), "%s: %s", rows[i].text,
          why ? why : "none");
  }
  memset(longest, 'a', IMAGE_URL_MAX);
  memcpy(longest, "https://b/", 10);
  assert_null(url_refuse_image(longest, &none));
  longest[IMAGE_URL_MAX] = 'a';
  why = url_refuse_image(longest, &none);
  assert_non_null(why);
  assert_non_null(strstr(why, "16 KiB"));
}

static void urls_are_encoded_as_browsers_do(void **state) {
  static const struct {
    const char *text, *encoded;
  } rows[] = {
      {"https://a.example/b?c=d#e", "https://a.example/b?c=d#e"},
      {" https://a.example/b ", "https://a.example/b"},
      {"https://a.example/b c", "https://a.example/b%20c"},
      {"https://a.example/b|c?d=e|f g", "https://a.example/b%7Cc?d=e%7Cf%20g"},
      {"https://a.example/\xc3\xbc?\xff", "https://a.example/%C3%BC?%FF"},
      {"https://a.example/%20%7c", "https://a.example/%20%7c"},
      {"https://a.example?\"<>^`{}", "https://a.example?%22%3C%3E%5E%60%7B%7D"},
      {"https://a.example/b\\c", "https://a.example/b\\c"},
      /* nothing in front of the path is mended */
      {"https://\xc3\xbc.example/", "https://\xc3\xbc.example/"},
      {"https://a b@c/ d", "https://a b@c/%20d"},
      {"https://a\\@b/", "https://a\\@b/"},
      {"https://a.example/\n", "https://a.example/\n"},
      {"", ""},
      {" ", ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    char *encoded = url_encode(rows[i].text);
    check(encoded && strcmp(encoded, rows[i].encoded) == 0, "%s: %s",
          rows[i].text, encoded ? encoded : "none");
    free(encoded);
  }
}

/* What follows may be a signature. */
static void urls_are_shown_up_to_their_query(void **state) {
  static const struct {
    const char *text;
    int shown;
  } rows[] = {{"", 0},
              {"https://a.example/b", 19},
              {"https://a.example/b?signature=1", 19},
              {"https://a.example/b#x?y", 19},
              {"?x", 0}};
  char text[URL_MAX + 1];
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    check(url_shown(rows[i].text) == rows[i].shown, "%s", rows[i].text);
  memset(text, 'x', sizeof text);
  text[URL_MAX] = '\0';
  assert_in_range(url_shown(text), 100, 400);
}

static void job_ids_lead_nowhere_else(void **state) {
  static const char *const taken[] = {"8b93b17d-6ec7-4bd7-96a2-b06f69e8b862",
                                      "azAZ09_-",
                                      "a",
                                      "a.b:c/d",
                                      "gen/2024-01/x",
                                      "a%2Fb?c#d\"e",
                                      "a..b/...c/..d/e..",
                                      "a/.../b",
                                      "a//b/",
                                      "~!@$&'()*+,;=[]{}|^`<>"};
  static const char *const refused[] = {
      "",     ".",    "..",   "...",    "/",    "/a",    ".a",
      "./a",  "../a", "a/..", "a/../b", "a/.",  "a/./b", "a//..",
      "a\\b", "a b",  "a\nb", "a\t",    "\x7f", "\xc3",  "a\xc3\xa9"};
  char text[JOB_ID_MAX + 1];
  (void)state;
  for (size_t i = 0; i < COUNT(taken); i++)
    check(url_is_job_id(taken[i], strlen(taken[i])), "%s", taken[i]);
  for (size_t i = 0; i < COUNT(refused); i++)
    check(!url_is_job_id(refused[i], strlen(refused[i])), "%s", refused[i]);
  assert_false(url_is_job_id("a\0b", 3));
  memset(text, 'x', sizeof text);
  assert_true(url_is_job_id(text, 1));
  assert_true(url_is_job_id(text, JOB_ID_MAX));
  assert_false(url_is_job_id(text, JOB_ID_MAX + 1));
}

static void ids_are_one_segment_of_a_path(void **state) {
  char text[64];
  (void)state;
  url_write_segment(text, "azAZ09-._~");
  assert_string_equal(text, "azAZ09-._~");
  url_write_segment(text, "a/b:c%2F?d#e\"");
  assert_string_equal(text, "a%2Fb%3Ac%252F%3Fd%23e%22");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_urls_are_taken_apart),
      cmocka_unit_test(bad_urls_are_refused_with_a_reason),
      cmocka_unit_test(every_byte_that_is_not_for_urls_is_refused),
      cmocka_unit_test(a_nul_inside_does_not_hide_the_rest),
      cmocka_unit_test(long_urls_and_hosts_are_refused),
      cmocka_unit_test(a_service_has_one_name),
      cmocka_unit_test(downloads_are_https_or_plain_to_where_the_service_is),
      cmocka_unit_test(what_is_wrong_with_an_image_url_is_told),
      cmocka_unit_test(urls_are_encoded_as_browsers_do),
      cmocka_unit_test(urls_are_shown_up_to_their_query),
      cmocka_unit_test(job_ids_lead_nowhere_else),
      cmocka_unit_test(ids_are_one_segment_of_a_path),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
