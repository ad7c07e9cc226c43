/* Images are known by their first bytes. */
#include "check.h"

#include "engine/files/image.h"

#include <string.h>

typedef struct Head {
  const char *bytes;
  size_t length;
  const char *extension; /* NULL = not an image */
} Head;

#define HEAD(text, extension)                                                  \
  { text, sizeof(text) - 1, extension }

static const Head heads[] = {
    HEAD("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "png"),
    HEAD("\x89PNG\r\n\x1a\n", "png"),
    HEAD("\xff\xd8\xff\xe0\0\x10JFIF\0", "jpg"),
    HEAD("\xff\xd8\xff\xe1", "jpg"),
    HEAD("\xff\xd8\xff", "jpg"),
    HEAD("GIF89a\x01\0\x01\0", "gif"),
    HEAD("GIF87a", "gif"),
    HEAD("RIFF\x24\0\0\0WEBPVP8 ", "webp"),
    HEAD("RIFF....WEBP", "webp"),
    HEAD("\0\0\0\x1c"
         "ftypavif\0\0\0\0",
         "avif"),
    HEAD("\0\0\0\x1c"
         "ftypavis",
         "avif"),
    HEAD("\0\0\0\x1c"
         "ftypmif1\0\0\0\0mif1avifmiaf",
         "avif"),
    HEAD("\0\0\0\x18"
         "ftypmsf1\0\0\0\0msf1avis",
         "avif"),
    HEAD("\0\0\0\x18"
         "ftypmif1\0\0\0\0mif1heic",
         NULL),
    HEAD("\0\0\0\x14" /* that is not of the box any more */
         "ftypmif1\0\0\0\0mif1avif",
         NULL),
    HEAD("\0\0\0\x18"
         "ftypmif1avif....",
         NULL),
    HEAD("\0\0\0\x18"
         "styp....\0\0\0\0avifavif",
         NULL),
    HEAD("", NULL),
    HEAD("\x89PNG\n\x1a\n\0\0\0\0", NULL),
    HEAD("\x88PNG\r\n\x1a\n", NULL),
    HEAD("\xff\xd8\xfe\xe0", NULL),
    HEAD("GIF88a....", NULL),
    HEAD("gif89a....", NULL),
    HEAD("RIFF\x24\0\0\0WAVEfmt ", NULL),
    HEAD("XXXX\x24\0\0\0WEBPVP8 ", NULL),
    HEAD("<html>..WEBP", NULL),
    HEAD("WEBPWEBPwebp", NULL),
    HEAD("\0\0\0\x1c"
         "ftypheic\0\0\0\0",
         NULL),
    HEAD("ftypavif\0\0\0\0", NULL),
    HEAD("<!doctype html><p>", NULL),
    HEAD("{\"error\":\"not_found\"}", NULL),
    HEAD(" \x89PNG\r\n\x1a\n", NULL),
    HEAD("<svg xmlns=", NULL),
    HEAD("BM....", NULL),
};

static bool is_same(const char *found, const char *expected) {
  return found && expected ? strcmp(found, expected) == 0 : found == expected;
}

static void the_first_bytes_decide(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(heads); i++) {
    const char *found = image_extension(heads[i].bytes, heads[i].length);
    check(is_same(found, heads[i].extension), "row %zu: %s", i,
          found ? found : "none");
  }
}

/* The shortest heads that are enough, by kind. */
static void fewer_bytes_than_the_magic_are_no_image(void **state) {
  static const Head shortest[] = {
      HEAD("\x89PNG\r\n\x1a\n", "png"),
      HEAD("\xff\xd8\xff", "jpg"),
      HEAD("GIF87a", "gif"),
      HEAD("GIF89a", "gif"),
      HEAD("RIFF\x24\0\0\0WEBP", "webp"),
      HEAD("\0\0\0\x1c"
           "ftypavif",
           "avif"),
      HEAD("\0\0\0\x1c"
           "ftypavis",
           "avif"),
  };
  (void)state;
  for (size_t i = 0; i < COUNT(shortest); i++) {
    const Head *head = &shortest[i];
    assert_true(head->length <= IMAGE_HEAD);
    assert_string_equal(image_extension(head->bytes, head->length),
                        head->extension);
    for (size_t length = 0; length < head->length; length++)
      check(!image_extension(head->bytes, length), "row %zu: %zu bytes", i,
            length);
  }
}

/* What may say so in its compatible brands is looked at as far as they go. */
static void so_many_bytes_are_enough(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(heads); i++) {
    char head[IMAGE_HEAD] = {0};
    size_t enough;
    if (heads[i].length < IMAGE_KIND)
      continue;
    memcpy(head, heads[i].bytes, heads[i].length);
    enough = image_head_length(head);
    assert_in_range(enough, IMAGE_KIND, IMAGE_HEAD);
    check(is_same(image_extension(head, enough), heads[i].extension),
          "row %zu by its first %zu bytes", i, enough);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_bytes_decide),
      cmocka_unit_test(fewer_bytes_than_the_magic_are_no_image),
      cmocka_unit_test(so_many_bytes_are_enough),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
