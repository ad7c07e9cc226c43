/*
 * Draws the sandbox's pictures: hills under a sky, coloured by the seed, with
 * the prompt on a card. Runs on the server's thread, one drawing at a time in
 * the process.
 */
#include "picture.h"

#include <cairo.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "png_file.h"

static const char ELLIPSIS[] = "\xe2\x80\xa6";
static const double PI = 3.14159265358979323846;

enum {
  TEXT_MAX = 600, /* bytes of the prompt that are shown at all */
  LINES_MAX = 12,
  LINE_SIZE = TEXT_MAX + 4,
  HILLS = 4
};

typedef struct Colour {
  double r, g, b;
} Colour;

/* A drawing in progress; `unit` is a hundredth of the shorter side. */
typedef struct Scene {
  cairo_t *cr;
  double width, height, unit;
  double hue; /* of the upper sky, 0 to 1 */
  uint64_t random;
} Scene;

/* The next of the scene's random numbers, in [low, high). */
static double pick(Scene *scene, double low, double high) {
  uint64_t z = scene->random += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return low + (high - low) * ((double)(z >> 11) / 9007199254740992.0);
}

static double channel(double hue) {
  double x = fabs((hue - floor(hue)) * 6.0 - 3.0) - 1.0;
  return fmin(fmax(x, 0.0), 1.0);
}

static Colour hsl(double hue, double saturation, double lightness) {
  double chroma = (1.0 - fabs(2.0 * lightness - 1.0)) * saturation;
  Colour colour = {lightness + chroma * (channel(hue) - 0.5),
                   lightness + chroma * (channel(hue - 1.0 / 3.0) - 0.5),
                   lightness + chroma * (channel(hue - 2.0 / 3.0) - 0.5)};
  return colour;
}

static void add_stop(cairo_pattern_t *pattern, double at, Colour c,
                     double alpha) {
  cairo_pattern_add_color_stop_rgba(pattern, at, c.r, c.g, c.b, alpha);
}

static void paint_sky(Scene *scene) {
  cairo_pattern_t *sky = cairo_pattern_create_linear(
      scene->width * 0.2, 0, scene->width * 0.45, scene->height);
  add_stop(sky, 0.0, hsl(scene->hue, 0.52, 0.40), 1.0);
  add_stop(sky, 0.45, hsl(scene->hue + 0.10, 0.62, 0.66), 1.0);
  add_stop(sky, 0.8, hsl(scene->hue + 0.20, 0.80, 0.84), 1.0);
  cairo_set_source(scene->cr, sky);
  cairo_paint(scene->cr);
  cairo_pattern_destroy(sky);
}

static void paint_sun(Scene *scene) {
  double x = scene->width * pick(scene, 0.2, 0.8);
  double y = scene->height * pick(scene, 0.43, 0.56);
  double r = scene->unit * pick(scene, 9, 13);
  Colour warm = hsl(scene->hue + 0.20, 0.95, 0.93);
  cairo_pattern_t *glow =
      cairo_pattern_create_radial(x, y, r * 0.9, x, y, r * 4.5);
  add_stop(glow, 0.0, warm, 0.65);
  add_stop(glow, 0.4, warm, 0.18);
  add_stop(glow, 1.0, warm, 0.0);
  cairo_set_source(scene->cr, glow);
  cairo_paint(scene->cr);
  cairo_pattern_destroy(glow);
  cairo_arc(scene->cr, x, y, r, 0, 2 * PI);
  cairo_set_source_rgba(scene->cr, warm.r, warm.g, warm.b, 0.95);
  cairo_fill(scene->cr);
}

/* One ridge from side to side: a sum of three waves, filled downwards. */
static void paint_hill(Scene *scene, int n) {
  double depth = (n + 1.0) / (double)HILLS; /* 1 is the nearest */
  double level = scene->height * (0.50 + 0.36 * depth);
  double swing = scene->unit * (8.0 - 3.0 * depth);
  double longer = scene->unit * pick(scene, 120, 180);
  double shift = pick(scene, 0, 2 * PI), tilt = pick(scene, 0, 2 * PI);
  cairo_move_to(scene->cr, -1, scene->height + 1);
  int steps = (int)(scene->width / scene->unit) + 2;
  for (int i = 0; i <= steps; i++) {
    double x = scene->unit * i - 1;
    double t = 2 * PI * x / longer;
    double y = level - swing * (sin(t + shift) + 0.45 * sin(2.3 * t + tilt) +
                                0.12 * sin(7.1 * t + shift));
    cairo_line_to(scene->cr, x, y);
  }
  cairo_line_to(scene->cr, scene->width + 1, scene->height + 1);
  cairo_close_path(scene->cr);
  Colour top = hsl(scene->hue + 0.14 - 0.14 * depth, 0.45, 0.66 - 0.44 * depth);
  Colour low = hsl(scene->hue + 0.10 - 0.14 * depth, 0.48, 0.56 - 0.42 * depth);
  cairo_pattern_t *ground = cairo_pattern_create_linear(
      0, level - swing, 0, level + scene->height * 0.25);
  add_stop(ground, 0.0, top, 1.0);
  add_stop(ground, 1.0, low, 1.0);
  cairo_set_source(scene->cr, ground);
  cairo_fill(scene->cr);
  cairo_pattern_destroy(ground);
}

static void round_box(cairo_t *cr, double x, double y, double w, double h,
                      double r) {
  cairo_new_sub_path(cr);
  cairo_arc(cr, x + w - r, y + r, r, -PI / 2, 0);
  cairo_arc(cr, x + w - r, y + h - r, r, 0, PI / 2);
  cairo_arc(cr, x + r, y + h - r, r, PI / 2, PI);
  cairo_arc(cr, x + r, y + r, r, PI, 1.5 * PI);
  cairo_close_path(cr);
}

/* ---- the text ---- */

typedef struct Lines {
  char text[LINES_MAX][LINE_SIZE];
  int count;
  bool cut; /* there was more than fits */
} Lines;

static double text_width(cairo_t *cr, const char *text) {
  cairo_text_extents_t extents;
  cairo_text_extents(cr, text, &extents);
  return extents.x_advance;
}

/* The longest prefix that fits into `width`, at least one character. */
static size_t fitting(cairo_t *cr, const char *text, size_t size,
                      double width) {
  char line[LINE_SIZE];
  size_t fits = 0, broken = 0;
  for (size_t i = 1; i <= size; i++) {
    if (i < size && ((unsigned char)text[i] & 0xc0u) == 0x80u)
      continue; /* inside a character */
    memcpy(line, text, i);
    line[i] = '\0';
    if (fits > 0 && text_width(cr, line) > width)
      return broken > 0 ? broken : fits;
    fits = i;
    broken = i == size || text[i] == ' ' ? i : broken;
  }
  return size;
}

static void wrap(cairo_t *cr, const char *text, double width, int most,
                 Lines *lines) {
  size_t size = strlen(text);
  lines->count = 0;
  while (size > 0 && lines->count < most) {
    size_t taken = fitting(cr, text, size, width);
    memcpy(lines->text[lines->count], text, taken);
    lines->text[lines->count++][taken] = '\0';
    while (taken < size && text[taken] == ' ')
      taken++;
    text += taken;
    size -= taken;
  }
  lines->cut = size > 0;
}

/* How many bytes the character at `text` has, and whether cairo takes it: code
 * points that will never be characters (U+FFFE, U+10FFFF, U+FDD0 ...) make its
 * whole drawing fail. */
static size_t read_character(const char *text, bool *drawn) {
  unsigned char c = (unsigned char)text[0];
  size_t size = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  unsigned code = size == 1 ? c : c & (0x7fu >> size);
  for (size_t i = 1; i < size; i++)
    code = code << 6 | ((unsigned char)text[i] & 0x3fu);
  *drawn = (code & 0xfffeu) != 0xfffeu && (code < 0xfdd0 || code > 0xfdef);
  return size;
}

/* Control characters become spaces, what cannot be drawn a substitute; what is
 * too long ends in an ellipsis. The text is UTF-8: it came from JSON. */
static void tidy_text(const char *text, char out[LINE_SIZE]) {
  static const char substitute[] = "\xef\xbf\xbd"; /* no longer than any */
  size_t kept = 0;
  while (*text != '\0') {
    bool drawn;
    size_t size = read_character(text, &drawn);
    const char *shown = drawn ? text : substitute;
    size_t needs = drawn ? size : sizeof substitute - 1;
    if (kept + needs > TEXT_MAX)
      break;
    memcpy(out + kept, shown, needs);
    if ((unsigned char)*shown < 0x20 || *shown == 0x7f)
      out[kept] = ' ';
    kept += needs;
    text += size;
  }
  snprintf(out + kept, LINE_SIZE - kept, "%s", *text != '\0' ? ELLIPSIS : "");
}

/* Chooses the largest size at which the text fits, and wraps for it. */
static double set_text(Scene *scene, const char *text, double width,
                       Lines *lines) {
  static const double SIZES[] = {6.4, 5.4, 4.6, 3.8, 3.2};
  static const int MOST[] = {3, 4, 5, 8, LINES_MAX};
  enum { STEPS = sizeof SIZES / sizeof *SIZES };
  double size = 0;
  for (int i = 0; i < STEPS; i++) {
    size = SIZES[i] * scene->unit;
    cairo_set_font_size(scene->cr, size);
    wrap(scene->cr, text, width, MOST[i], lines);
    if (!lines->cut)
      break;
  }
  if (lines->cut) {
    char *last = lines->text[lines->count - 1];
    size_t end = strlen(last);
    snprintf(last + end, LINE_SIZE - end, "%s", ELLIPSIS);
  }
  return size;
}

static void paint_text(Scene *scene, const char *text) {
  char shown[LINE_SIZE];
  Lines lines;
  cairo_t *cr = scene->cr;
  double margin = scene->unit * 6, inner = scene->unit * 5;
  double width = scene->width - 2 * (margin + inner);
  tidy_text(text, shown);
  cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         CAIRO_FONT_WEIGHT_NORMAL);
  double size = set_text(scene, shown, width, &lines);
  double step = size * 1.35, height = step * lines.count;
  round_box(cr, margin, margin, scene->width - 2 * margin, height + 2 * inner,
            scene->unit * 3);
  cairo_set_source_rgba(cr, 0.06, 0.06, 0.10, 0.5);
  cairo_fill(cr);
  cairo_set_source_rgb(cr, 1, 1, 1);
  for (int i = 0; i < lines.count; i++) {
    cairo_move_to(cr, margin + inner, margin + inner + step * (i + 0.76));
    cairo_show_text(cr, lines.text[i]);
  }
}

static void paint_mark(Scene *scene) {
  cairo_t *cr = scene->cr;
  cairo_set_font_size(cr, scene->unit * 3.0);
  double width = text_width(cr, "sandbox");
  double x = scene->width - width - scene->unit * 8;
  double y = scene->height - scene->unit * 6;
  round_box(cr, x - scene->unit * 2, y - scene->unit * 3.6,
            width + scene->unit * 4, scene->unit * 5.2, scene->unit * 2.6);
  cairo_set_source_rgba(cr, 1, 1, 1, 0.16);
  cairo_fill(cr);
  cairo_move_to(cr, x, y);
  cairo_set_source_rgba(cr, 1, 1, 1, 0.85);
  cairo_show_text(cr, "sandbox");
}

static void picture_size(const PictureWish *wish, int *width, int *height) {
  static const int PARTS[RATIO_COUNT][2] = {
      {1, 1}, {16, 9}, {9, 16}, {4, 3}, {3, 4}};
  int across = PARTS[wish->ratio][0], down = PARTS[wish->ratio][1];
  int longest = across > down ? across : down;
  *width = wish->side * across / longest;
  *height = wish->side * down / longest;
}

static cairo_status_t write_bytes(void *into, const unsigned char *data,
                                  unsigned int size) {
  return png_append(into, data, size) ? CAIRO_STATUS_SUCCESS
                                      : CAIRO_STATUS_NO_MEMORY;
}

static bool draw(const PictureWish *wish, int side, PngFile *file) {
  PictureWish sized = *wish;
  int width, height;
  sized.side = side;
  picture_size(&sized, &width, &height);
  cairo_surface_t *surface =
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
  Scene scene = {.cr = cairo_create(surface),
                 .width = width,
                 .height = height,
                 .unit = (width < height ? width : height) / 100.0,
                 .random = wish->seed};
  scene.hue = pick(&scene, 0.50, 0.92);
  paint_sky(&scene);
  paint_sun(&scene);
  for (int n = 0; n < HILLS; n++)
    paint_hill(&scene, n);
  paint_text(&scene, wish->text);
  paint_mark(&scene);
  cairo_status_t status = cairo_status(scene.cr);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_write_to_png_stream(surface, write_bytes, file);
  cairo_destroy(scene.cr);
  cairo_surface_destroy(surface);
  return status == CAIRO_STATUS_SUCCESS;
}

/* Draws smaller and smaller until there is room for the padding. */
static bool draw_file(const PictureWish *wish, PngFile *file) {
  static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
  int side = wish->side;
  pthread_mutex_lock(&one_at_a_time);
  bool ok = draw(wish, side, file);
  while (ok && wish->bytes > 0 && !png_room(file, wish->bytes) &&
         side / 2 >= PICTURE_MIN_SIDE) {
    file->size = 0;
    side /= 2;
    ok = draw(wish, side, file);
  }
  pthread_mutex_unlock(&one_at_a_time);
  return ok && (wish->bytes == 0 || png_pad(file, wish->bytes, wish->seed));
}

Picture *picture_draw(const PictureWish *wish) {
  PngFile file = {0};
  Picture *picture = calloc(1, sizeof *picture);
  if (!picture || !draw_file(wish, &file)) {
    free(file.data);
    free(picture);
    return NULL;
  }
  picture->references = 1;
  picture->data = file.data;
  picture->size = file.size;
  snprintf(picture->etag, sizeof picture->etag, "\"%08x-%zx\"",
           png_checksum(file.data, file.size), file.size);
  return picture;
}

void picture_release(Picture *picture) {
  if (picture && --picture->references == 0) {
    free(picture->data);
    free(picture);
  }
}
