/* A small picture and its PNG: see paper.h. */
#include "paper.h"

#include <stdint.h>
#include <string.h>

#define BLOCK ((size_t)65535) /* bytes of a stored block at most */
#define BLOCK_HEAD ((size_t)5)
#define CHUNK ((size_t)12) /* length, name and check of a chunk */
#define SIGNATURE ((size_t)8)
#define HEADER ((size_t)13)
#define PALETTE ((size_t)(PAPER_COLOURS * 3))

/* A row: the number of its filter, and two bits for each point. */
static size_t row_size(int width) {
  return 1 + (size_t)width / 4;
}

size_t paper_rows_size(int width, int height) {
  return row_size(width) * (size_t)height;
}

static void set_point(unsigned char *row, int x, unsigned colour) {
  unsigned shift = 6U - 2U * ((unsigned)x & 3U);
  unsigned char *byte = row + 1 + x / 4;
  *byte = (unsigned char)((*byte & ~(3U << shift)) | colour << shift);
}

static int limit(int value, int most) {
  return value < 0 ? 0 : value > most ? most : value;
}

void paper_fill(Paper *paper, int left, int top, int width, int height,
                unsigned colour) {
  int right = limit(left + width, paper->width);
  int bottom = limit(top + height, paper->height);
  left = limit(left, paper->width);
  for (int y = limit(top, paper->height); y < bottom; y++) {
    unsigned char *row = paper->rows + row_size(paper->width) * (size_t)y;
    for (int x = left; x < right; x++)
      set_point(row, x, colour & 3U);
  }
}

/* ---- the PNG ---- */

static unsigned char *put_number(unsigned char *out, uint32_t value) {
  for (int i = 0; i < 4; i++)
    out[i] = (unsigned char)(value >> (24 - 8 * i));
  return out + 4;
}

/* CRC-32, four bits at a time: a table of 16 needs no first call. */
static uint32_t check_of(const unsigned char *bytes, size_t length) {
  static const uint32_t table[16] = {
      0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
      0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
      0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < length; i++) {
    crc ^= bytes[i];
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return ~crc;
}

/* Adler-32; the sums are brought down before they can overflow. */
static uint32_t adler_of(const unsigned char *bytes, size_t length) {
  uint32_t low = 1;
  uint32_t high = 0;
  for (size_t i = 0; i < length; i++) {
    low += bytes[i];
    high += low;
    if ((i & 4095) == 4095) {
      low %= 65521;
      high %= 65521;
    }
  }
  return high % 65521 << 16 | low % 65521;
}

/* Begins a chunk; its bytes follow. */
static unsigned char *begin(unsigned char *out, const char *name,
                            size_t length) {
  out = put_number(out, (uint32_t)length);
  memcpy(out, name, 4);
  return out + 4;
}

/* Ends one whose bytes are written. */
static unsigned char *end(unsigned char *out, size_t length) {
  return put_number(out, check_of(out - length - 4, length + 4));
}

static size_t blocks_of(size_t length) {
  return (length + BLOCK - 1) / BLOCK;
}

/* Of the compressed data: two bytes in front, the check behind. */
static size_t data_size(const Paper *paper) {
  size_t length = paper_rows_size(paper->width, paper->height);
  return 2 + blocks_of(length) * BLOCK_HEAD + length + 4;
}

size_t paper_png_size(const Paper *paper) {
  return SIGNATURE + 4 * CHUNK + HEADER + PALETTE + data_size(paper);
}

static unsigned char *put_header(const Paper *paper, unsigned char *out) {
  static const unsigned char kind[5] = {2, 3, 0, 0, 0}; /* 2 bits, a palette */
  out = begin(out, "IHDR", HEADER);
  out = put_number(out, (uint32_t)paper->width);
  out = put_number(out, (uint32_t)paper->height);
  memcpy(out, kind, sizeof kind);
  return end(out + sizeof kind, HEADER);
}

static unsigned char *put_palette(const Paper *paper, unsigned char *out) {
  out = begin(out, "PLTE", PALETTE);
  memcpy(out, paper->palette, PALETTE);
  return end(out + PALETTE, PALETTE);
}

static unsigned char *put_block(unsigned char *out, const unsigned char *bytes,
                                size_t length, int is_last) {
  out[0] = (unsigned char)is_last;
  out[1] = (unsigned char)(length & 255);
  out[2] = (unsigned char)(length >> 8);
  out[3] = (unsigned char)(out[1] ^ 255);
  out[4] = (unsigned char)(out[2] ^ 255);
  memcpy(out + BLOCK_HEAD, bytes, length);
  return out + BLOCK_HEAD + length;
}

static unsigned char *put_data(const Paper *paper, unsigned char *out) {
  size_t left = paper_rows_size(paper->width, paper->height);
  size_t size = data_size(paper);
  const unsigned char *bytes = paper->rows;
  uint32_t sum = adler_of(bytes, left);
  out = begin(out, "IDAT", size);
  *out++ = 0x78;
  *out++ = 0x01;
  while (left > 0) {
    size_t length = left < BLOCK ? left : BLOCK;
    out = put_block(out, bytes, length, length == left);
    bytes += length;
    left -= length;
  }
  return end(put_number(out, sum), size);
}

void paper_png(const Paper *paper, unsigned char *out) {
  static const unsigned char signature[SIGNATURE] = {0x89, 'P',  'N',  'G',
                                                     '\r', '\n', 0x1a, '\n'};
  memcpy(out, signature, SIGNATURE);
  out = put_header(paper, out + SIGNATURE);
  out = put_palette(paper, out);
  out = put_data(paper, out);
  end(begin(out, "IEND", 0), 0);
}
