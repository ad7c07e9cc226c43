/* The system's certificate authorities: whether a folder holds all of them, and
 * what libcurl is told of them and of the user's own. */
#include "folder.h"

#include "engine/core/account.h"
#include "engine/http/ca_store.h"
#include "engine/http/http.h"

#include <unistd.h>

#define FIRST "one certificate\n"
#define SECOND "another one\n"

/* A folder with two certificates, links to them, and the bundle of both. */
typedef struct Store {
  Folder folder;
  char bundle[PATH_MAX];
} Store;

static void put(const Store *store, const char *name, const char *text) {
  char path[PATH_MAX];
  file_put(folder_path(&store->folder, name, path), text);
}

static void put_link(const Store *store, const char *name, const char *to) {
  char path[PATH_MAX];
  assert_int_equal(symlink(to, folder_path(&store->folder, name, path)), 0);
}

static void take_away(const Store *store, const char *name) {
  char path[PATH_MAX];
  assert_int_equal(unlink(folder_path(&store->folder, name, path)), 0);
}

static int make_store(void **state) {
  static Store store;
  folder_make(&store.folder);
  folder_path(&store.folder, "bundle.crt", store.bundle);
  put(&store, "First.pem", FIRST);
  put(&store, "Second.pem", SECOND);
  put(&store, "bundle.crt", FIRST SECOND);
  put_link(&store, "0a1b2c3d.0", "First.pem");
  put_link(&store, "0a1b2c3d.1", "Second.pem");
  *state = &store;
  return 0;
}

static int remove_store(void **state) {
  Store *store = *state;
  folder_remove(&store->folder);
  return 0;
}

static bool is_same(const Store *store) {
  return ca_store_same(store->folder.path, store->bundle);
}

static void a_folder_and_its_bundle_are_the_same(void **state) {
  assert_true(is_same(*state));
}

static void a_certificate_in_the_bundle_alone_makes_a_difference(void **state) {
  put(*state, "bundle.crt", FIRST SECOND "a third one\n");
  assert_false(is_same(*state));
  put(*state, "bundle.crt", "the house's own one\n");
  assert_false(is_same(*state));
}

static void a_certificate_in_the_folder_alone_makes_a_difference(void **state) {
  put(*state, "fedcba98.0", "a third one\n");
  assert_false(is_same(*state));
}

static void a_link_that_leads_nowhere_makes_a_difference(void **state) {
  put_link(*state, "fedcba98.0", "Third.pem");
  assert_false(is_same(*state));
}

static void a_missing_link_makes_a_difference(void **state) {
  take_away(*state, "0a1b2c3d.1");
  assert_false(is_same(*state));
  take_away(*state, "0a1b2c3d.0");
  assert_false(is_same(*state));
}

/* OpenSSL would not look for them. */
static void other_names_are_no_links(void **state) {
  static const char *const names[] = {
      "0a1b2c3d",    "0a1b2c3d.",  "0a1b2c3.0",
      "0a1b2c3d4.0", "0A1B2C3D.0", "0a1b2c3d.r0",
      "0a1b2c3d.0~", "0a1b2c3d-0", "0"};
  for (size_t i = 0; i < COUNT(names); i++) {
    put_link(*state, names[i], "First.pem");
    check(is_same(*state), "%s counts", names[i]);
  }
}

static void what_is_not_there_is_not_the_same(void **state) {
  Store *store = *state;
  assert_false(ca_store_same(NULL, store->bundle));
  assert_false(ca_store_same(store->folder.path, NULL));
  assert_false(ca_store_same("/nowhere", store->bundle));
  assert_false(ca_store_same(store->folder.path, "/nowhere"));
  put(store, "bundle.crt", "");
  take_away(store, "0a1b2c3d.0");
  take_away(store, "0a1b2c3d.1");
  assert_false(is_same(store));
}

static void one_of_the_two_is_read_where_they_are_the_same(void **state) {
  Store *store = *state;
  const char *folder = store->folder.path;
  assert_int_equal(ca_store_choose("OpenSSL/3.0", folder, store->bundle),
                   CA_STORE_FOLDER);
  assert_int_equal(ca_store_choose("GnuTLS/3.7", folder, store->bundle),
                   CA_STORE_BUNDLE);
  assert_int_equal(ca_store_choose("GnuTLS/3.7", NULL, store->bundle),
                   CA_STORE_BOTH);
  assert_int_equal(ca_store_choose(NULL, folder, store->bundle), CA_STORE_BOTH);
  put(store, "bundle.crt", FIRST SECOND "a third one\n");
  assert_int_equal(ca_store_choose("GnuTLS/3.7", folder, store->bundle),
                   CA_STORE_BOTH);
}

/* ---- what libcurl is told ---- */

/* "untold", "nothing" (NULL), or what was set. */
static char told_file[32], told_folder[32], told_proxy_file[32];
static __typeof__(curl_easy_setopt) *real_setopt;

static void note(CURLoption option, const char *text) {
  char *told = option == CURLOPT_CAINFO         ? told_file
               : option == CURLOPT_CAPATH       ? told_folder
               : option == CURLOPT_PROXY_CAINFO ? told_proxy_file
                                                : NULL;
  if (told)
    snprintf(told, sizeof told_file, "%s", text ? text : "nothing");
}

/* Stands in front of libcurl's, and passes on what an option's type allows. */
static CURLcode note_setopt(CURL *easy, CURLoption option, ...) {
  int type = (int)option / 10000 * 10000;
  CURLcode code;
  va_list rest;
  va_start(rest, option);
  if (type == CURLOPTTYPE_LONG) {
    code = real_setopt(easy, option, va_arg(rest, long));
  } else if (type == CURLOPTTYPE_OFF_T) {
    curl_off_t size = va_arg(rest, curl_off_t);
    code = real_setopt(easy, option, size);
  } else {
    void *pointer = va_arg(rest, void *);
    note(option, pointer);
    code = real_setopt(easy, option, pointer);
  }
  va_end(rest);
  return code;
}

/* Notes what a new handle is told. */
static void ask(const char *base_url, const char *ca_file) {
  AccountSettings settings = {.service.base_url = base_url,
                              .service.api_key = "key",
                              .service.user_agent = "agent",
                              .service.ca_file = ca_file,
                              .max_active = 1};
  Account *account = account_new(&settings, NULL);
  Loop loop;
  Failure failure = {0};
  int wake[2];
  assert_int_equal(pipe(wake), 0);
  assert_true(loop_open(&loop, wake[0]));
  assert_null(curl_lib_load());
  real_setopt = curl_lib.easy_setopt;
  curl_lib.easy_setopt = note_setopt;
  strcpy(told_file, "untold");
  strcpy(told_folder, "untold");
  strcpy(told_proxy_file, "untold");
  http_abort(&loop, http_get(&loop, &account->service, base_url, 1, &failure));
  curl_lib.easy_setopt = real_setopt;
  account_drop(account);
  loop_close(&loop);
  close(wake[0]);
  close(wake[1]);
}

static void the_users_file_is_trusted_alone(void **state) {
  (void)state;
  ask("https://127.0.0.1:1", "own.pem");
  assert_string_equal(told_file, "own.pem");
  assert_string_equal(told_folder, "nothing");
  assert_string_equal(told_proxy_file, "untold");
}

static void the_bundle_is_left_out_where_the_folder_is_enough(void **state) {
  const char *expected;
  (void)state;
  assert_null(curl_lib_load());
  expected = ca_store_needed() == CA_STORE_FOLDER ? "nothing" : "untold";
  ask("https://127.0.0.1:1", NULL);
  assert_string_equal(told_file, expected);
  assert_string_equal(told_proxy_file, expected);
  assert_string_equal(told_folder, "untold");
}

static void nobody_looks_without_tls(void **state) {
  (void)state;
  ask("http://127.0.0.1:1", NULL);
  assert_string_equal(told_file, "untold");
  assert_string_equal(told_folder, "untold");
  assert_string_equal(told_proxy_file, "untold");
}

#define with_store(test)                                                       \
  cmocka_unit_test_setup_teardown(test, make_store, remove_store)

int main(void) {
  const struct CMUnitTest tests[] = {
      with_store(a_folder_and_its_bundle_are_the_same),
      with_store(a_certificate_in_the_bundle_alone_makes_a_difference),
      with_store(a_certificate_in_the_folder_alone_makes_a_difference),
      with_store(a_link_that_leads_nowhere_makes_a_difference),
      with_store(a_missing_link_makes_a_difference),
      with_store(other_names_are_no_links),
      with_store(what_is_not_there_is_not_the_same),
      with_store(one_of_the_two_is_read_where_they_are_the_same),
      cmocka_unit_test(the_users_file_is_trusted_alone),
      cmocka_unit_test(the_bundle_is_left_out_where_the_folder_is_enough),
      cmocka_unit_test(nobody_looks_without_tls),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
