/*
 * A bitmap font of our own: printable ASCII, 5 points wide and 7 high.  Pure.
 */
#ifndef GPTIMAGE2_LUA_GLYPHS_H
#define GPTIMAGE2_LUA_GLYPHS_H

#define GLYPH_WIDTH 5
#define GLYPH_HEIGHT 7

/* The rows of a character, from the top; the highest of a row's five bits is
 * its leftmost point.  A box for what the font has not. */
const unsigned char *glyph_rows(unsigned char character);

#endif
