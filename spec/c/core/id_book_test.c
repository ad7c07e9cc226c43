/* Whose the job ids are that a service gave. */
#include "check.h"

#include "engine/core/id_book.h"

#include <stdio.h>

static IdBook book;

static int close_book(void **state) {
  (void)state;
  id_book_free(&book);
  return 0;
}

/* Ids and keys by number. */
static bool claim(unsigned id, unsigned key) {
  char id_text[16], key_text[16];
  snprintf(id_text, sizeof id_text, "id-%u", id);
  snprintf(key_text, sizeof key_text, "%u", key);
  return id_book_claim(&book, id_text, key_text);
}

static void an_id_is_of_one_key(void **state) {
  (void)state;
  assert_true(claim(1, 1));
  assert_true(claim(1, 1)); /* the create was repeated */
  assert_false(claim(1, 2));
  assert_false(claim(1, 2));
  assert_true(claim(1, 1));
  assert_true(claim(2, 2));
  assert_true(claim(3, 2)); /* and then answered with another id */
}

static void the_latest_are_known(void **state) {
  (void)state;
  for (unsigned round = 0; round < 3; round++)
    for (unsigned i = 0; i < ID_BOOK_MAX; i++)
      assert_true(claim(round * ID_BOOK_MAX + i, 1));
  for (unsigned i = 2 * ID_BOOK_MAX; i < 3 * ID_BOOK_MAX; i++)
    assert_false(claim(i, 2));
  assert_true(claim(2 * ID_BOOK_MAX - 1, 2)); /* in the place of the oldest */
  assert_true(claim(2 * ID_BOOK_MAX, 3));
  assert_false(claim(2 * ID_BOOK_MAX + 2, 3));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(an_id_is_of_one_key, close_book),
      cmocka_unit_test_teardown(the_latest_are_known, close_book),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
