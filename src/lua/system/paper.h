/*
 * A small picture in four colours, and its bytes as a PNG: stored, not
 * compressed, so that it costs next to nothing to write.  Pure.
 */
#ifndef GPTIMAGE2_LUA_PAPER_H
#define GPTIMAGE2_LUA_PAPER_H

#include <stddef.h>

#define PAPER_MOST 1024 /* points of a side */
#define PAPER_COLOURS 4

typedef struct Paper {
  int width; /* of points; a multiple of 4 */
  int height;
  unsigned char *rows; /* paper_rows_size bytes, zeroed; the caller's */
  unsigned char palette[PAPER_COLOURS][3];
} Paper;

/* How many bytes the rows of a paper of that size take. */
size_t paper_rows_size(int width, int height);

/* Gives a rectangle, as much of it as is on the paper, a colour. */
void paper_fill(Paper *paper, int left, int top, int width, int height,
                unsigned colour);

/* How many bytes its PNG has. */
size_t paper_png_size(const Paper *paper);

/* Writes the PNG: so many bytes. */
void paper_png(const Paper *paper, unsigned char *out);

#endif
