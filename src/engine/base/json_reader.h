/*
 * A JSON text, read where it stands: no copy, no table, no memory.
 *
 * The reader goes through the text once, from value to value.  The first fault
 * breaks it, and from then on it finds nothing: callers ask once, at the end.
 * It takes what RFC 8259 allows, and control characters inside texts, which
 * must not cost anybody a picture.  Pure: any thread.
 */
#ifndef GPTIMAGE2_ENGINE_JSON_READER_H
#define GPTIMAGE2_ENGINE_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum JsonKind {
  JSON_BROKEN, /* no value comes next */
  JSON_NULL,
  JSON_BOOLEAN,
  JSON_NUMBER,
  JSON_TEXT,
  JSON_OBJECT,
  JSON_ARRAY
} JsonKind;

/* What stands between a text's quotes, or a number: a piece of what was read,
 * and gone with it.  `at` is NULL for none. */
typedef struct JsonPiece {
  const char *at;
  size_t length;
  bool escaped; /* it holds backslashes: see json_unescape */
} JsonPiece;

typedef struct JsonReader {
  const char *at;
  const char *end;
  unsigned depth;
  uint32_t objects; /* a bit for each depth: it is an object, not an array */
  bool fresh;       /* nothing was read yet of the object or array around */
  bool broken;
  bool cut; /* because the text ended too early */
} JsonReader;

void json_begin(JsonReader *reader, const char *bytes, size_t length);

/* True when the text was whole: nothing but white space is left. */
bool json_ended(JsonReader *reader);

/* True when it was right as far as it went, but is only the beginning of one.
 */
static inline bool json_is_beginning(const JsonReader *reader) {
  return reader->broken && reader->cut;
}

/* The kind of the value that comes next, which stays to be read. */
JsonKind json_peek(JsonReader *reader);

/* Goes into the object or array that comes next. */
void json_enter(JsonReader *reader);

/* Inside an object: reads the name of its next member, whose value must be
 * read, entered or skipped then.  False at the object's end, which is read. */
bool json_next_member(JsonReader *reader, JsonPiece *name);

/* The same for the elements of an array. */
bool json_next_element(JsonReader *reader);

/* Reads the value that comes next; a piece without `at` when it is of another
 * kind, which is skipped. */
JsonPiece json_read_text(JsonReader *reader);
JsonPiece json_read_number(JsonReader *reader);

/* Skips the value that comes next, whatever it is. */
void json_skip(JsonReader *reader);

/* True when the piece is this very text, written without backslashes.  Inline:
 * of a literal the length is known, and tells most texts apart. */
static inline bool json_is(const JsonPiece *piece, const char *text) {
  return piece->length == strlen(text) && piece->at &&
         memcmp(piece->at, text, piece->length) == 0;
}

/* Writes the text that the piece stands for to `to`, which has room for
 * piece->length bytes: it is never longer.  Half a surrogate pair becomes
 * U+FFFD.  Returns its length. */
size_t json_unescape(const JsonPiece *piece, char *to);

/* The number that the piece holds; NAN when it has over 15 digits or is so
 * large or small that a double would only come near it. */
double json_to_double(const JsonPiece *piece);

#endif
