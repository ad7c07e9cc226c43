/* An account: its texts, its references, and that the key is wiped. */
#include "check.h"

#include "engine/core/account.h"

#include <string.h>

#define KEY "sk-0123456789-very-secret"

void __explicit_bzero_chk(void *bytes, size_t length, size_t size);

static unsigned wiped; /* how often memory that held the key was wiped */

/* Stands in front of the C library's: the engine calls this one. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
void explicit_bzero(void *bytes, size_t length) {
  char *volatile before = bytes; /* the compiler takes it for write-only */
  if (memmem(before, length, KEY, strlen(KEY)))
    wiped++;
  memset(bytes, 0, length);
}

void __explicit_bzero_chk(void *bytes, size_t length, size_t size) {
  (void)size;
  explicit_bzero(bytes, length);
}

static AccountSettings settings_for(const char *base_url) {
  return (AccountSettings){.service.base_url = base_url,
                           .service.api_key = KEY,
                           .service.user_agent = "agent/1",
                           .max_active = 2,
                           .state = {.max_attempts = 4}};
}

static void urls_and_headers_are_made_once(void **state) {
  AccountSettings settings = settings_for("https://gptimage2.ai");
  Account *account = account_new(&settings, NULL);
  const struct curl_slist *post, *get;
  (void)state;
  assert_string_equal(account->service.generate_url,
                      "https://gptimage2.ai/api/generate");
  assert_string_equal(service_poll_url(&account->service, "a-job"),
                      "https://gptimage2.ai/api/generate/a-job");
  assert_string_equal(service_poll_url(&account->service, "b"),
                      "https://gptimage2.ai/api/generate/b");
  post = account->service.post_headers;
  assert_string_equal(post->data, "Authorization: Bearer " KEY);
  assert_string_equal(post->next->data, "User-Agent: agent/1");
  post = post->next->next;
  assert_string_equal(post->data, "Content-Type: application/json");
  assert_string_equal(post->next->data, "Accept:"); /* none is sent */
  assert_null(post->next->next);
  get = account->service.get_headers;
  assert_string_equal(get->data, "Authorization: Bearer " KEY);
  assert_string_equal(get->next->data, "User-Agent: agent/1");
  assert_string_equal(get->next->next->data, "Accept:");
  assert_null(get->next->next->next);
  assert_string_equal(account_api_key(account), KEY);
  account_drop(account);
}

static void texts_are_copied_and_the_key_only_once(void **state) {
  char base_url[] = "http://localhost:1";
  char agent[] = "agent/2";
  char proxy[] = "http://proxy:2";
  char ca_file[] = "ca.pem";
  AccountSettings settings = settings_for(base_url);
  Account *account;
  (void)state;
  settings.service.user_agent = agent;
  settings.service.proxy = proxy;
  settings.service.ca_file = ca_file;
  account = account_new(&settings, NULL);
  base_url[0] = agent[0] = proxy[0] = ca_file[0] = '?';
  assert_string_equal(account->service.settings.base_url, "http://localhost:1");
  assert_string_equal(account->service.settings.user_agent, "agent/2");
  assert_string_equal(account->service.settings.proxy, "http://proxy:2");
  assert_string_equal(account->service.settings.ca_file, "ca.pem");
  assert_null(account->settings.service.api_key);
  assert_int_equal(account->settings.max_active, 2);
  account_drop(account);
  settings = settings_for("http://localhost:1");
  account = account_new(&settings, NULL);
  assert_null(account->service.settings.proxy);
  assert_null(account->service.settings.ca_file);
  account_drop(account);
}

static void where_the_service_is_is_known(void **state) {
  static const struct {
    const char *base_url;
    bool local, secure;
  } rows[] = {{"https://gptimage2.ai", false, true},
              {"http://localhost:80", true, false},
              {"http://127.0.0.1:80", true, false},
              {"https://[::1]", true, true},
              {"http://localhost.example", false, false},
              {"http://localhost@example.com", false, false}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    AccountSettings settings = settings_for(rows[i].base_url);
    Account *account = account_new(&settings, NULL);
    check(account->service.local == rows[i].local, "%s", rows[i].base_url);
    check(account->service.secure == rows[i].secure, "%s", rows[i].base_url);
    account_drop(account);
  }
}

static void
a_path_is_sent_as_it_is_where_nothing_speaks_against_it(void **state) {
  static const struct {
    const char *base_url, *proxy, *path; /* NULL: libcurl sees to it */
  } rows[] = {{"https://gptimage2.ai", NULL, "/api/generate"},
              {"http://[::1]:80", NULL, "/api/generate"},
              {"https://example.com/a/b.c", NULL, "/a/b.c/api/generate"},
              {"https://example.com/a/../b", NULL, NULL},
              {"https://example.com/./b", NULL, NULL},
              {"http://localhost:80", "http://proxy:2", NULL}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    AccountSettings settings = settings_for(rows[i].base_url);
    Account *account;
    settings.service.proxy = rows[i].proxy;
    account = account_new(&settings, NULL);
    if (rows[i].path)
      assert_string_equal(account->service.generate_url +
                              account->service.path_at,
                          rows[i].path);
    else
      assert_int_equal(account->service.path_at, 0);
    account_drop(account);
  }
}

static void the_last_reference_wipes_the_key(void **state) {
  AccountSettings settings = settings_for("https://gptimage2.ai");
  Account *account = account_new(&settings, NULL);
  (void)state;
  wiped = 0;
  account_hold(account);
  account_hold(account);
  account_drop(account);
  account_drop(account);
  assert_int_equal(wiped, 0);
  assert_string_equal(account_api_key(account), KEY);
  account_drop(account);
#ifndef GPTIMAGE2_POSIX /* there it is wiped by hand */
  assert_int_equal(wiped, 1);
#endif
}

static void
images_are_at_public_addresses_unless_the_service_is_not(void **state) {
  static const struct {
    const char *base, *image;
    bool allowed, inside, wanted;
  } rows[] = {
      {"https://a.example", "https://b.example/c", false, false, true},
      {"https://a.example", "https://10.0.0.1/c", false, false, true},
      {"https://a.example", "https://A.example:99/c", false, false, false},
      {"https://a.example", "https://b.example/c", true, false, false},
      {"https://a.example", "https://b.example/c", false, true, false},
      {"http://127.0.0.1:80", "https://b.example/c", false, false, false},
      {"http://localhost", "http://localhost:9/c", false, false, false},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    Account *account;
    AccountSettings settings = {.service.base_url = rows[i].base,
                                .service.api_key = "sk",
                                .service.user_agent = "a",
                                .max_active = 1,
                                .allow_private_references = rows[i].allowed};
    account = account_new(&settings, NULL);
    assert_non_null(account);
    account->service.inside = account->service.inside || rows[i].inside;
    check(account_wants_public(account, rows[i].image) == rows[i].wanted,
          "row %zu", i);
    account_drop(account);
  }
}

static uint64_t origin_of(const char *base_url, const char *proxy) {
  AccountSettings settings = settings_for(base_url);
  Account *account;
  uint64_t name;
  settings.service.proxy = proxy;
  account = account_new(&settings, NULL);
  assert_non_null(account);
  name = service_origin_name(&account->service);
  account_drop(account);
  return name;
}

/* They share connections in front of libcurl, or they do not. */
static void an_origin_is_a_scheme_a_host_and_a_port(void **state) {
  static const char *const same[] = {"https://e.com", "https://E.com:443",
                                     "https://e.com/a", "https://e.com/b/c"};
  static const char *const others[] = {"http://e.com", "https://e.com:444",
                                       "https://f.com", "https://[::1]",
                                       "https://[::1]:80"};
  uint64_t name = origin_of(same[0], NULL);
  (void)state;
  for (size_t i = 0; i < COUNT(same); i++)
    check(origin_of(same[i], NULL) == name, "%s", same[i]);
  for (size_t i = 0; i < COUNT(others); i++)
    check(origin_of(others[i], NULL) != name, "%s", others[i]);
  assert_true(origin_of(others[3], NULL) != origin_of(others[4], NULL));
  assert_true(origin_of(same[0], "http://proxy:1") != name);
  assert_true(origin_of(same[0], "http://proxy:1") !=
              origin_of(same[0], "http://proxy:2"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(urls_and_headers_are_made_once),
      cmocka_unit_test(texts_are_copied_and_the_key_only_once),
      cmocka_unit_test(where_the_service_is_is_known),
      cmocka_unit_test(a_path_is_sent_as_it_is_where_nothing_speaks_against_it),
      cmocka_unit_test(
          images_are_at_public_addresses_unless_the_service_is_not),
      cmocka_unit_test(an_origin_is_a_scheme_a_host_and_a_port),
      cmocka_unit_test(the_last_reference_wipes_the_key),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
