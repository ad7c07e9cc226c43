/* The service's replies, read: see decode.h. */
#include "decode.h"

#include "url.h"

#include <math.h>

static DecodedStatus read_status(JsonReader *reader) {
  JsonPiece text = json_read_text(reader);
  if (json_is(&text, "pending"))
    return DECODED_PENDING;
  if (json_is(&text, "running"))
    return DECODED_RUNNING;
  if (json_is(&text, "succeeded"))
    return DECODED_SUCCEEDED;
  return json_is(&text, "failed") ? DECODED_FAILED : DECODED_NONE;
}

static JsonPiece read_id(JsonReader *reader) {
  JsonPiece id = json_read_text(reader);
  return id.at && url_is_job_id(id.at, id.length) ? id : (JsonPiece){0};
}

/* Which field of a balance has the name; BALANCE_FIELDS = none. */
static size_t balance_field(const JsonPiece *name) {
  if (json_is(name, "paidCredits"))
    return 0;
  if (json_is(name, "freeImagesRemaining"))
    return 1;
  if (json_is(name, "totalImages"))
    return 2;
  return json_is(name, "freeImagesPerDay") ? 3 : BALANCE_FIELDS;
}

/* False when it is no object. */
static bool read_balance(JsonReader *reader, Balance *balance) {
  JsonPiece name;
  if (json_peek(reader) != JSON_OBJECT) {
    json_skip(reader);
    return false;
  }
  for (size_t i = 0; i < BALANCE_FIELDS; i++)
    balance->fields[i] = (double)NAN;
  json_enter(reader);
  while (json_next_member(reader, &name)) {
    JsonPiece number = json_read_number(reader);
    size_t field = balance_field(&name);
    if (number.at && field < BALANCE_FIELDS)
      balance->fields[field] = json_to_double(&number);
  }
  return true;
}

/* A seed may come as a number, too: its digits are its text. */
static JsonPiece read_text_or_number(JsonReader *reader) {
  return json_peek(reader) == JSON_NUMBER ? json_read_number(reader)
                                          : json_read_text(reader);
}

static DecodedResult read_result(JsonReader *reader) {
  DecodedResult result = {0};
  JsonPiece name;
  if (json_peek(reader) != JSON_OBJECT) {
    json_skip(reader);
    return result;
  }
  json_enter(reader);
  while (json_next_member(reader, &name)) {
    if (json_is(&name, "imageUrl"))
      result.image_url = read_text_or_number(reader);
    else if (json_is(&name, "seed"))
      result.seed = read_text_or_number(reader);
    else if (json_is(&name, "finalPrompt"))
      result.final_prompt = read_text_or_number(reader);
    else
      json_skip(reader);
  }
  return result;
}

static void read_results(JsonReader *reader, Decoded *reply) {
  size_t count = 0;
  reply->result_count = 0;
  if (json_peek(reader) != JSON_ARRAY) {
    json_skip(reader);
    return;
  }
  json_enter(reader);
  while (json_next_element(reader)) {
    DecodedResult result = read_result(reader);
    if (++count <= RESULTS_MAX && result.image_url.at)
      reply->results[reply->result_count++] = result;
  }
  if (count > RESULTS_MAX)
    reply->result_count = 0;
}

static void read_member(JsonReader *reader, const JsonPiece *name,
                        Decoded *reply) {
  if (json_is(name, "status"))
    reply->status = read_status(reader);
  else if (json_is(name, "jobId"))
    reply->id = read_id(reader);
  else if (json_is(name, "results"))
    read_results(reader, reply);
  else if (json_is(name, "balance"))
    reply->has_balance = read_balance(reader, &reply->balance);
  else if (json_is(name, "error"))
    reply->error = json_read_text(reader);
  else
    json_skip(reader);
}

bool decode_reply(Decoded *reply, const char *bytes, size_t length) {
  JsonReader reader;
  JsonPiece name;
  reply->status = DECODED_NONE;
  reply->id = reply->error = (JsonPiece){0};
  reply->has_balance = false;
  reply->result_count = 0;
  if (!bytes)
    return false;
  json_begin(&reader, bytes, length);
  if (json_peek(&reader) != JSON_OBJECT)
    return false;
  json_enter(&reader);
  while (json_next_member(&reader, &name))
    read_member(&reader, &name, reply);
  return json_ended(&reader);
}

JsonPiece decode_waiting(const char *bytes, size_t length) {
  Decoded answer;
  if (!decode_reply(&answer, bytes, length) || decode_is_final(&answer))
    return (JsonPiece){0};
  return answer.id;
}

/* Behind a name: white space, a colon, white space, a quote. */
static const char *skip_to_value(const char *at, const char *end) {
  bool colon = false;
  for (; at < end; at++) {
    if (*at == ':' && !colon)
      colon = true;
    else if (*at == '"')
      return colon ? at + 1 : NULL;
    else if (!strchr(" \t\r\n", *at) || *at == '\0')
      return NULL;
  }
  return NULL;
}

JsonPiece decode_find_id(const char *bytes, size_t length) {
  static const char name[] = "\"jobId\"";
  const char *end;
  const char *found;
  const char *id;
  const char *quote;
  if (!bytes || !(found = memmem(bytes, length, name, sizeof name - 1)))
    return (JsonPiece){0};
  end = bytes + length;
  id = skip_to_value(found + sizeof name - 1, end);
  quote = id ? memchr(id, '"', (size_t)(end - id)) : NULL;
  if (!quote || !url_is_job_id(id, (size_t)(quote - id)))
    return (JsonPiece){0};
  return (JsonPiece){.at = id, .length = (size_t)(quote - id)};
}
