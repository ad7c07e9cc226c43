/*
 * A checker with a name on it: seen at once to be no picture, and which one it
 * will be.  Drawn in a tenth of a millisecond, within somebody's frame.
 */
#include "standin.h"

#include "glyphs.h"
#include "paper.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define SQUARE 16 /* points of a checker's square */
#define MARGIN 8
#define STEP (GLYPH_WIDTH + 1)
#define LEAP (GLYPH_HEIGHT + 3)
#define LINES_MOST 12

enum { LIGHT, DARK, PLATE, INK };

typedef struct Line {
  const char *text;
  int length;
} Line;

/* ---- the name, in lines ---- */

static int min_of(int a, int b) {
  return a < b ? a : b;
}

static int is_break(char c) {
  return c == '/' || c == '-' || c == '_' || c == ' ' || c == '.';
}

/* How much of a text goes into a line of `most`: behind a good place to break,
 * where there is one in its second half. */
static int cut(const char *text, int length, int most) {
  if (length <= most)
    return length;
  for (int i = most; i > most / 2; i--)
    if (is_break(text[i - 1]))
      return i;
  return most;
}

/* The lines of a name; what is too much is left out. */
static int break_up(const char *name, int length, int most, Line *lines) {
  int count = 0;
  while (length > 0 && count < LINES_MOST) {
    lines[count].text = name;
    lines[count].length = cut(name, length, most);
    name += lines[count].length;
    length -= lines[count].length;
    count++;
  }
  return count;
}

static int widest(const Line *lines, int count) {
  int most = 0;
  for (int i = 0; i < count; i++)
    most = lines[i].length > most ? lines[i].length : most;
  return most;
}

/* ---- drawing ---- */

static void draw_glyph(Paper *paper, int x, int y, int scale, char c) {
  const unsigned char *rows = glyph_rows((unsigned char)c);
  for (int row = 0; row < GLYPH_HEIGHT; row++)
    for (int column = 0; column < GLYPH_WIDTH; column++)
      if (rows[row] >> (GLYPH_WIDTH - 1 - column) & 1)
        paper_fill(paper, x + column * scale, y + row * scale, scale, scale,
                   INK);
}

static void draw_lines(Paper *paper, const Line *lines, int count, int scale) {
  int height = (count * LEAP - (LEAP - GLYPH_HEIGHT)) * scale;
  int width = (widest(lines, count) * STEP - 1) * scale;
  int top = (paper->height - height) / 2;
  paper_fill(paper, (paper->width - width) / 2 - MARGIN, top - MARGIN,
             width + 2 * MARGIN, height + 2 * MARGIN, PLATE);
  for (int i = 0; i < count; i++) {
    int left = (paper->width - (lines[i].length * STEP - 1) * scale) / 2;
    for (int j = 0; j < lines[i].length; j++)
      draw_glyph(paper, left + j * STEP * scale, top + i * LEAP * scale, scale,
                 lines[i].text[j]);
  }
}

/* As large as it fits. */
static void draw_name(Paper *paper, const char *name, int length) {
  Line lines[LINES_MOST];
  for (int scale = 3; scale > 0; scale--) {
    int most = (paper->width - 4 * MARGIN) / (STEP * scale);
    int room = (paper->height - 4 * MARGIN) / (LEAP * scale);
    int count = most > 0 ? break_up(name, length, most, lines) : 0;
    if (count > 0 && (scale == 1 || count <= min_of(room, 3))) {
      draw_lines(paper, lines, count, scale);
      return;
    }
  }
}

static void draw_checker(Paper *paper) {
  for (int y = 0; y < paper->height; y += SQUARE)
    for (int x = (y / SQUARE & 1) * SQUARE; x < paper->width; x += 2 * SQUARE)
      paper_fill(paper, x, y, SQUARE, SQUARE, DARK);
}

/* A tint of its own for each name, always the same one. */
static void mix(unsigned char colour[3], double hue, double base, double tint) {
  for (int i = 0; i < 3; i++)
    colour[i] = (unsigned char)(base + tint * cos(hue + i * 2.0943951));
}

static void choose_colours(Paper *paper, const char *name, int length) {
  uint32_t sum = 2166136261U;
  double hue;
  for (int i = 0; i < length; i++)
    sum = (sum ^ (unsigned char)name[i]) * 16777619U;
  hue = (sum >> 8 & 1023) / 1023.0 * 6.2831853;
  mix(paper->palette[LIGHT], hue, 214, 20);
  mix(paper->palette[DARK], hue, 188, 26);
  mix(paper->palette[PLATE], hue, 52, 14);
  mix(paper->palette[INK], hue, 246, 8);
}

static int side(lua_State *L, int arg) {
  lua_Integer points = luaL_checkinteger(L, arg);
  luaL_argcheck(L, points >= 1 && points <= PAPER_MOST, arg, "1 to 1024");
  return ((int)points + 3) / 4 * 4;
}

int standin_draw(lua_State *L) {
  size_t length, size;
  const char *name = luaL_checklstring(L, 1, &length);
  Paper paper = {.width = side(L, 2), .height = side(L, 3)};
  unsigned char *png;
  length = length > 1024 ? 1024 : length;
  size = paper_rows_size(paper.width, paper.height);
  paper.rows = lua_newuserdata(L, size);
  memset(paper.rows, 0, size);
  choose_colours(&paper, name, (int)length);
  draw_checker(&paper);
  draw_name(&paper, name, (int)length);
  size = paper_png_size(&paper);
  png = lua_newuserdata(L, size);
  paper_png(&paper, png);
  lua_pushlstring(L, (const char *)png, size);
  return 1;
}
