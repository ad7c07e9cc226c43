/* Whether an image is all there is told by its own end. */
#include "check.h"

#include "engine/files/image_walk.h"

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
#define PNG_HEAD "\0\0\0\x0dIHDR.............crc."
#define PNG_TEXT "\0\0\0\x14tEXtComment" PNG_END "\0crc."
#define PNG_DATA "\0\0\0\4IDAT....crc."
/* A segment with an image in it, that has its own end. */
#define JPEG                                                                   \
  "\xff\xd8\xff\xe0\0\x08"                                                     \
  "..\xff\xd9.."
#define JPEG_DATA "\xff\xda\0\x04..abc\xff\0def\xff\xd0ghi\xff\xff"
#define GIF "GIF89a\1\0\1\0\x80\0\0......"
#define GIF_NOTE "!\xfe\3;,;\0"
#define GIF_IMAGE ",\0\0\0\0\1\0\1\0\0\2\2;;\0"
#define GIF_COLOURED ",\0\0\0\0\1\0\1\0\x81;;;;;;;;;;;;\2\1;\0"

#define AVIF                                                                   \
  "\0\0\0\x18"                                                                 \
  "ftypavif\0\0\0\0mif1miaf"
#define MIF1                                                                   \
  "\0\0\0\x18"                                                                 \
  "ftypmif1\0\0\0\0mif1avif"
/* With the text of a box that would end the file. */
#define META "\0\0\0\x1cmeta\0\0\0\0\0\0\0\x10hdlr\0\0\0\0mdat"
#define META_WITH_DATA                                                         \
  "\0\0\0\x25meta\0\0\0\0\0\0\0\x0ciloc....\0\0\0\x0didat....."
#define MOOV "\0\0\0\x0cmoov...."
#define MDAT "\0\0\0\x0cmdat...."
#define LARGE_MDAT "\0\0\0\1mdat\0\0\0\0\0\0\0\x16......"
#define FREE                                                                   \
  "\0\0\0\x0c"                                                                 \
  "free...."

static const Whole rows[] = {
    WHOLE(PNG PNG_HEAD PNG_DATA PNG_END, true),
    WHOLE(PNG PNG_HEAD PNG_TEXT PNG_DATA PNG_END, true),
    WHOLE(PNG PNG_HEAD PNG_TEXT PNG_DATA PNG_END "\n", true),
    WHOLE(PNG PNG_HEAD PNG_TEXT PNG_DATA, false),
    WHOLE(PNG PNG_HEAD PNG_TEXT PNG_DATA "\0\0\0\4IDAT" PNG_END, false),
    WHOLE(PNG PNG_HEAD PNG_TEXT, false),
    WHOLE(PNG PNG_HEAD PNG_DATA "\0\0\0\0IEND\xae\x42\x60", false),
    WHOLE(PNG PNG_HEAD PNG_DATA "\0\0\0\0IEND\xae\x42\x60.", false),
    WHOLE(PNG PNG_HEAD PNG_DATA "\0\0\0\1IEND.\xae\x42\x60\x82", false),
    WHOLE(PNG PNG_HEAD "\x80\0\0\0IDAT" PNG_END, false),
    WHOLE(PNG PNG_HEAD, false),
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
    /* Chunks of an end where a length passes over it. */
    WHOLE("RIFF\x0e\0\0\0WEBPEXIF\xff\xd9;.;", false),
    WHOLE(AVIF META MDAT, true),
    WHOLE(AVIF MDAT META, true),
    WHOLE(AVIF MDAT MOOV, true),
    WHOLE(AVIF META FREE MDAT FREE, true),
    WHOLE(MIF1 META MDAT, true),
    WHOLE(AVIF META_WITH_DATA, true),
    WHOLE(AVIF META LARGE_MDAT, true),
    WHOLE(AVIF META "\0\0\0\0mdat......", true), /* to the end, wherever */
    WHOLE(AVIF META "\0\0\0\0mdat", true),
    WHOLE(AVIF MDAT "\0\0\0\0meta......", true),
    WHOLE(AVIF META MDAT "\r\n", true),
    WHOLE(AVIF META MDAT "\0\0\0\0\0\0\0\0\0\0\0\0", true),
    WHOLE(AVIF META MDAT "\0\0\0\7free....", true),
    WHOLE(AVIF, false),
    WHOLE(MIF1, false),
    WHOLE(AVIF META, false),
    WHOLE(AVIF MDAT, false),
    WHOLE(AVIF FREE FREE, false),
    WHOLE(AVIF META "\0\0\0\x11mdat........", false),
    WHOLE(AVIF META "\0\0\0\x10mdat.......", false),
    WHOLE(MIF1 META "\0\0\0\x10mdat.......", false),
    WHOLE(AVIF META "\0\0\0\1mdat\0\0\0\0\0\0\0\x17......", false),
    WHOLE(AVIF META "\0\0\0\1mdat\0\0\0\0\0\0\0", false),
    WHOLE(AVIF META "\0\0\0\1mdat\0\0\0\0\0\0\0\x0f", false),
    WHOLE(AVIF META "\0\0\0\0free" MDAT, false),
    WHOLE(AVIF META MDAT "\0\0\0\x40mdat....", false),
    WHOLE(AVIF "\0\0\0\x2cmeta\0\0\0\0\0\0\0\x0cidat....", false),
    WHOLE(AVIF "\0\0\0\x14meta\0\0\0\0\0\0\0\x40idat" FREE, true),
    WHOLE(AVIF "\0\0\0\x0emeta\0\0\0\0.." MDAT, true), /* no box in it */
    WHOLE(AVIF "\0\0\0\x0bmeta..." MDAT, false),       /* too short for one */
    WHOLE("\0\0\0\7ftypavif" META MDAT, false),
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

/* Of an AVIF more boxes may come. */
static bool may_go_on(const char *bytes, size_t length) {
  const char *extension = image_extension(bytes, length);
  return extension && strcmp(extension, "avif") == 0;
}

/* What is behind the end changes nothing. */
static void what_is_whole_stays_so(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    const char *bytes = rows[i].bytes;
    size_t length = rows[i].length;
    size_t needed = 0;
    for (size_t have = 1; have <= length && !may_go_on(bytes, have); have++) {
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
