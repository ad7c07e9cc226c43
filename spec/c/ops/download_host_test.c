/* The places of downloads: what silent hosts may hold, and who is next. */
#include "check.h"

#include "engine/ops/download_host.h"

#include <stddef.h>
#include <stdio.h>

#define HOSTS 12
#define DOWNLOADS_EACH 40

/* A download that ends only when the test says so. */
typedef struct Silent {
  Permit permit;
  DownloadHost *host;
  bool begun;
} Silent;

static Downloads downloads;
static Silent silent[HOSTS][DOWNLOADS_EACH];

static void on_begin(Permit *permit) {
  Silent *one = (Silent *)(void *)((char *)permit - offsetof(Silent, permit));
  one->begun = true;
}

static void begin(unsigned host, unsigned count) {
  char url[64];
  snprintf(url, sizeof url, "https://%c.example.com/picture.png", 'a' + host);
  for (unsigned i = 0; i < count; i++) {
    Silent *one = &silent[host][i];
    *one = (Silent){.host = download_host_enter(&downloads, url)};
    assert_non_null(one->host);
    one->permit.begin = on_begin;
    download_host_join(one->host, &one->permit);
    downloads_advance(&downloads);
  }
}

static void end(Silent *one) {
  download_host_leave(&downloads, one->host, &one->permit);
  one->host = NULL;
  downloads_advance(&downloads);
}

static unsigned begun(unsigned host) {
  unsigned count = 0;
  for (unsigned i = 0; i < DOWNLOADS_EACH; i++)
    count += silent[host][i].host && silent[host][i].begun;
  return count;
}

/* Those that wait first, so that nothing begins any more. */
static void end_all(void) {
  downloads.dispatching = true;
  for (unsigned host = 0; host < HOSTS; host++)
    for (unsigned i = 0; i < DOWNLOADS_EACH; i++)
      if (silent[host][i].host)
        end(&silent[host][i]);
  downloads.dispatching = false;
  assert_int_equal(downloads.active, 0);
  assert_null(downloads.hosts);
}

static void silent_hosts_do_not_have_all_places(void **state) {
  static const struct {
    unsigned wish[HOSTS], gets[HOSTS];
  } rows[] = {
      {{1}, {1}},
      {{40}, {12}},
      {{40, 40}, {12, 4}},
      {{8, 40}, {8, 8}},
      {{40, 40, 40}, {12, 4, 1}},
      {{40, 40, 40, 40, 40}, {12, 4, 1, 1, 1}},
      {{5, 5, 5, 5, 5}, {5, 5, 5, 1, 1}},
      {{40, 40, 1, 1, 1, 1, 1, 1, 1, 1}, {12, 4, 1, 1, 1, 1, 1, 1, 1, 1}},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    for (unsigned host = 0; host < HOSTS; host++)
      begin(host, rows[i].wish[host]);
    for (unsigned host = 0; host < HOSTS; host++)
      check(begun(host) == rows[i].gets[host], "row %zu, host %u: %u", i, host,
            begun(host));
    end_all();
  }
}

/* After any of them another host begins at once, up to the bound of all. */
static void a_host_without_a_place_has_one(void **state) {
  (void)state;
  begin(0, 40);
  begin(1, 40);
  for (unsigned host = 2; host < 10; host++) {
    begin(host, 2);
    check(begun(host) == 1, "host %u: %u", host, begun(host));
  }
  assert_int_equal(downloads.active, 24);
  begin(10, 1);
  assert_int_equal(begun(10), 0);
  end(&silent[5][0]); /* its second comes after those who have none */
  assert_int_equal(begun(10), 1);
  assert_int_equal(downloads.active, 24);
  end_all();
}

static void a_free_place_goes_to_the_host_with_the_fewest(void **state) {
  (void)state;
  begin(0, 40);
  begin(1, 40);
  begin(2, 40);
  assert_int_equal(downloads.active, 17);
  end(&silent[0][0]);
  assert_int_equal(downloads.active, 16);
  for (unsigned i = 1; i <= 3; i++)
    end(&silent[0][i]);
  assert_int_equal(begun(0), 8);
  assert_int_equal(begun(1), 4);
  assert_int_equal(begun(2), 4);
  end(&silent[0][4]); /* and of equal ones to the one that waits longest */
  end(&silent[0][5]);
  assert_int_equal(begun(1), 5);
  assert_int_equal(begun(2), 5);
  end_all();
}

static void on_begin_and_end(Permit *permit) {
  Silent *one = (Silent *)(void *)((char *)permit - offsetof(Silent, permit));
  one->begun = true;
  end(one);
}

static void one_may_end_while_it_begins(void **state) {
  unsigned count = 0;
  (void)state;
  downloads.dispatching = true;
  begin(0, DOWNLOADS_EACH);
  begin(1, DOWNLOADS_EACH);
  for (unsigned host = 0; host < 2; host++)
    for (unsigned i = 0; i < DOWNLOADS_EACH; i++)
      silent[host][i].permit.begin = on_begin_and_end;
  downloads.dispatching = false;
  downloads_advance(&downloads);
  for (unsigned host = 0; host < 2; host++)
    for (unsigned i = 0; i < DOWNLOADS_EACH; i++)
      count += silent[host][i].begun;
  assert_int_equal(count, 2 * DOWNLOADS_EACH);
  assert_int_equal(downloads.active, 0);
  assert_null(downloads.hosts);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(silent_hosts_do_not_have_all_places),
      cmocka_unit_test(a_host_without_a_place_has_one),
      cmocka_unit_test(a_free_place_goes_to_the_host_with_the_fewest),
      cmocka_unit_test(one_may_end_while_it_begins),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
