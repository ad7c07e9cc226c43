/* A text in blocks. */
#include "check.h"

#include "engine/files/chunks.h"

#include <malloc.h>
#include <string.h>

#define MODEL 10000

/* The blocks hold the model's first `length` bytes, and all but the last are
 * full. */
static void compare(const Chunks *text, const char *model, size_t length) {
  size_t at = 0;
  for (const TextBlock *block = text->first; block; block = block->next) {
    assert_true(block->next ? block->length == TEXT_BLOCK : block->length > 0);
    assert_true(at + block->length <= length);
    assert_memory_equal(block->bytes, model + at, block->length);
    at += block->length;
  }
  assert_int_equal(at, length);
}

static void pieces_stand_one_after_the_other(void **state) {
  static char model[MODEL];
  uint64_t seed = 3;
  Chunks text = {0};
  size_t length = 0;
  (void)state;
  for (size_t i = 0; i < MODEL; i++)
    model[i] = (char)random_below(&seed, 256);
  while (length < MODEL) {
    size_t piece = random_below(&seed, 2 * TEXT_BLOCK);
    if (piece > MODEL - length)
      piece = MODEL - length;
    assert_true(chunks_append(&text, model + length, piece));
    length += piece;
    compare(&text, model, length);
  }
  chunks_free(&text);
  assert_null(text.first);
}

static void nothing_is_an_empty_text(void **state) {
  Chunks text = {0};
  (void)state;
  assert_true(chunks_append(&text, "", 0));
  assert_null(text.first);
  chunks_free(&text);
}

/* Else glibc would look for it among the large ones, and sweep before. */
static void a_block_is_small_for_malloc(void **state) {
  Chunks text = {0};
  (void)state;
  assert_true(chunks_append(&text, "a", 1));
  assert_true(malloc_usable_size(text.first) + sizeof(size_t) < 1024);
  chunks_free(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pieces_stand_one_after_the_other),
      cmocka_unit_test(nothing_is_an_empty_text),
      cmocka_unit_test(a_block_is_small_for_malloc),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
