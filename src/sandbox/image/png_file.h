/*
 * A PNG file in memory: growing, padding with an ancillary chunk, checksums.
 * Pure; the holder frees `data`.
 */
#ifndef GPTIMAGE2_SANDBOX_PNG_FILE_H
#define GPTIMAGE2_SANDBOX_PNG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PngFile {
  unsigned char *data;
  size_t size, room;
} PngFile;

/* False: no memory. */
bool png_append(PngFile *file, const void *data, size_t size);

/* Whether the file can be padded to exactly `bytes`. */
bool png_room(const PngFile *file, size_t bytes);

/*
 * Pads a finished file to exactly `bytes` with one chunk of noise that
 * readers skip. False: no memory, or no room.
 */
bool png_pad(PngFile *file, size_t bytes, uint64_t seed);

/* CRC-32 as PNG uses it. */
uint32_t png_checksum(const unsigned char *data, size_t size);

#endif
