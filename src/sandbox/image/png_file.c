/*
 * A PNG file in memory. Pure; runs on the server's thread.
 */
#include "png_file.h"

#include <stdlib.h>
#include <string.h>

enum {
  PNG_FIRST = 64 * 1024,
  PNG_END = 12,     /* the closing IEND chunk */
  PNG_OVERHEAD = 12 /* a chunk's length, type and checksum */
};

bool png_append(PngFile *file, const void *data, size_t size) {
  size_t room = file->room == 0 ? PNG_FIRST : file->room;
  while (room - file->size < size)
    room *= 2;
  if (room != file->room) {
    unsigned char *grown = realloc(file->data, room);
    if (!grown)
      return false;
    file->data = grown;
    file->room = room;
  }
  memcpy(file->data + file->size, data, size);
  file->size += size;
  return true;
}

bool png_room(const PngFile *file, size_t bytes) {
  return file->size == bytes || file->size + PNG_OVERHEAD <= bytes;
}

/* Four bits at a time: a table of 16 needs no initialisation at run time. */
uint32_t png_checksum(const unsigned char *data, size_t size) {
  static const uint32_t TABLE[16] = {
      0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu,
      0x76dc4190u, 0x6b6b51f4u, 0x4db26158u, 0x5005713cu,
      0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
      0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu};
  uint32_t crc = 0xffffffffu;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    crc = (crc >> 4) ^ TABLE[crc & 15u];
    crc = (crc >> 4) ^ TABLE[crc & 15u];
  }
  return ~crc;
}

static void put_number(unsigned char *to, uint32_t value) {
  for (int i = 0; i < 4; i++)
    to[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void fill_noise(unsigned char *to, size_t size, uint64_t seed) {
  uint64_t x = seed | 1u;
  for (size_t i = 0; i < size; i += sizeof x) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    memcpy(to + i, &x, size - i < sizeof x ? size - i : sizeof x);
  }
}

bool png_pad(PngFile *file, size_t bytes, uint64_t seed) {
  if (file->size == bytes)
    return true;
  if (file->size < PNG_END || !png_room(file, bytes))
    return false;
  unsigned char *grown = realloc(file->data, bytes);
  if (!grown)
    return false;
  unsigned char *chunk = grown + file->size - PNG_END;
  size_t length = bytes - file->size - PNG_OVERHEAD;
  memmove(grown + bytes - PNG_END, chunk, PNG_END);
  put_number(chunk, (uint32_t)length);
  memcpy(chunk + 4, "paDd", 4); /* ancillary, private, safe to copy */
  fill_noise(chunk + 8, length, seed);
  put_number(chunk + 8 + length, png_checksum(chunk + 4, length + 4));
  *file = (PngFile){.data = grown, .size = bytes, .room = bytes};
  return true;
}
