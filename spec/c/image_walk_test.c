/* Whether an image is all there is told by its own end. */
#include "check.h"

#include "engine/image_walk.h"

#include <string.h>

typedef struct Whole {
  const char *bytes;
  size_t length;
  bool whole;
} Whole;

#define WHOLE(text, whole)                                                     \
  { text, sizeof(text) - 1, whole }

#define PNG "\x89PNG\r\n\x1a\n"
#define PNG_END "\0\0\0\0IEND\xae\x42\x60\x82"
/* A segment with an image in it, that has its own end. */
#define JPEG                                                                   \
  "\xff\xd8\xff\xe0\0\x08"                                                     \
  "..\xff\xd9.."
#define JPEG_DATA "\xff\xda\0\x04..abc\xff\0def\xff\xd0ghi\xff\xff"
#define GIF "GIF89a\1\0\1\0\x80\0\0......"
#define GIF_NOTE "!\xfe\3;,;\0"
#define GIF_IMAGE ",\0\0\0\0\1\0\1\0\0\2\2;;\0"
#define GIF_COLOURED ",\0\0\0\0\1\0\1\0\x81;;;;;;;;;;;;\2\1;\0"

static const Whole rows[] = {
    WHOLE(PNG "...................." PNG_END, true),
    WHOLE(PNG "IEND\xae\x42IIEND\xae\x42\x60\x82", true),
    WHOLE(PNG "........" PNG_END "\n", true),
    WHOLE(PNG "...................."
              "\0\0\0\0IEND\xae\x42\x60",
          false),
    WHOLE(PNG, false),
    WHOLE(PNG "....", false),
    WHOLE(JPEG JPEG_DATA "\xd9", true),
    WHOLE(JPEG JPEG_DATA "\xd9 and what a camera puts behind it", true),
    WHOLE(JPEG JPEG_DATA, false),
    WHOLE(JPEG, false),
    WHOLE("\xff\xd8\xff\xe0", false),
    WHOLE("\xff\xd8\xff\xe0\xff\xff..\xff\xd9..", false),
    WHOLE(GIF GIF_NOTE GIF_IMAGE ";", true),
    WHOLE(GIF GIF_NOTE GIF_IMAGE GIF_COLOURED ";.", true),
    WHOLE(GIF GIF_NOTE GIF_IMAGE, false),
    WHOLE(GIF GIF_NOTE GIF_COLOURED, false),
    WHOLE(GIF GIF_NOTE, false),
    WHOLE("GIF89a............", false),
    WHOLE("RIFF\x0c\0\0\0WEBPVP8 ....", true),
    WHOLE("RIFF\x0c\0\0\0WEBPVP8 .....", true),
    WHOLE("RIFF\x0d\0\0\0WEBPVP8 ....", false),
    WHOLE("RIFF\xff\xff\xff\xffWEBPVP8 ....", false),
    WHOLE("RIFF\0\0\0\0WEBP", true),
    WHOLE("\0\0\0\x1c"
          "ftypavif....",
          true),           /* it has none */
    WHOLE("<html>", true), /* that it is no image is told elsewhere */
    WHOLE("", true),
};

static void the_end_tells_whether_it_is_whole(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    ImageWalk walk = {0};
    image_walk(&walk, rows[i].bytes, rows[i].length);
    check(image_walk_is_over(&walk) == rows[i].whole, "row %zu", i);
  }
}

/* However the bytes come. */
static void parts_are_as_good_as_one(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    for (size_t size = 1; size < rows[i].length; size++) {
      ImageWalk walk = {0};
      for (size_t at = 0; at < rows[i].length; at += size) {
        size_t left = rows[i].length - at;
        image_walk(&walk, rows[i].bytes + at, left < size ? left : size);
      }
      check(image_walk_is_over(&walk) == rows[i].whole, "row %zu by %zu", i,
            size);
    }
}

/* What is behind the end changes nothing. */
static void what_is_whole_stays_so(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    const char *bytes = rows[i].bytes;
    size_t length = rows[i].length;
    size_t needed = 0;
    for (size_t have = 1; have <= length; have++) {
      ImageWalk walk = {0};
      image_walk(&walk, bytes, have);
      if (image_extension(bytes, have) && image_walk_is_over(&walk)) {
        needed = needed ? needed : have;
      } else {
        check(needed == 0, "row %zu: whole at %zu, not at %zu", i, needed,
              have);
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_end_tells_whether_it_is_whole),
      cmocka_unit_test(parts_are_as_good_as_one),
      cmocka_unit_test(what_is_whole_stays_so),
  };
  return cmocka_run_group_tests_name("image_walk", tests, NULL, NULL);
}
