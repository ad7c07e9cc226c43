/* The service's replies, read: see api_reply.h. */
#include "api_reply.h"

#include "engine/base/platform.h"
#include "engine/base/url.h"

#include <math.h>
#include <strings.h>

/* The documented words first; the others are what other services say. */
static const struct {
  const char *text;
  ApiStatus status;
  ApiWord word;
} words[] = {{"pending", API_PENDING, WORD_DOCUMENTED},
             {"running", API_RUNNING, WORD_DOCUMENTED},
             {"succeeded", API_SUCCEEDED, WORD_DOCUMENTED},
             {"failed", API_FAILED, WORD_DOCUMENTED},
             {"queued", API_PENDING, WORD_DOCUMENTED},
             {"waiting", API_PENDING, WORD_DOCUMENTED},
             {"processing", API_RUNNING, WORD_DOCUMENTED},
             {"in_progress", API_RUNNING, WORD_DOCUMENTED},
             {"completed", API_SUCCEEDED, WORD_DOCUMENTED},
             {"complete", API_SUCCEEDED, WORD_DOCUMENTED},
             {"success", API_SUCCEEDED, WORD_DOCUMENTED},
             {"done", API_SUCCEEDED, WORD_DOCUMENTED},
             {"canceled", API_FAILED, WORD_ENDED},
             {"cancelled", API_FAILED, WORD_ENDED},
             {"expired", API_FAILED, WORD_ENDED},
             {"rejected", API_FAILED, WORD_ENDED},
             {"error", API_FAILED, WORD_TROUBLE},
             {"failure", API_FAILED, WORD_TROUBLE}};

static bool is_word(const JsonPiece *piece, const char *text) {
  return piece->length == strlen(text) &&
         strncasecmp(piece->at, text, piece->length) == 0;
}

static void read_status(JsonReader *reader, ApiReply *reply) {
  reply->status = API_NONE;
  reply->word = WORD_DOCUMENTED;
  reply->said = json_read_text(reader);
  for (size_t i = 0; reply->said.at && i < sizeof words / sizeof *words; i++)
    if (is_word(&reply->said, words[i].text)) {
      reply->status = words[i].status;
      reply->word = words[i].word;
      return;
    }
}

size_t api_reply_copy_id(const JsonPiece *id, char *to) {
  return json_unescape(id, to);
}

/* A name that holds the mark of a hidden key is no name any more. */
static JsonPiece read_id(JsonReader *reader) {
  static const char mark[] = "[key]";
  JsonPiece id = json_read_text(reader);
  char text[6 * JOB_ID_MAX];
  if (!id.at || id.length > sizeof text ||
      platform_find(id.at, id.length, mark, sizeof mark - 1) ||
      !url_is_job_id(text, json_unescape(&id, text)))
    return (JsonPiece){0};
  return id;
}

/* The code of an error that is an object, or what comes nearest to one. */
static JsonPiece read_error_object(JsonReader *reader) {
  JsonPiece code = {0};
  JsonPiece message = {0};
  JsonPiece name;
  json_enter(reader);
  while (json_next_member(reader, &name))
    if (json_is(&name, "code"))
      code = json_peek(reader) == JSON_NUMBER ? json_read_number(reader)
                                              : json_read_text(reader);
    else if (json_is(&name, "message"))
      message = json_read_text(reader);
    else
      json_skip(reader);
  return code.length > 0 ? code : message;
}

static JsonPiece read_error(JsonReader *reader) {
  return json_peek(reader) == JSON_OBJECT ? read_error_object(reader)
                                          : json_read_text(reader);
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

static ApiResult read_result(JsonReader *reader) {
  ApiResult result = {0};
  JsonPiece name;
  if (json_peek(reader) != JSON_OBJECT) {
    json_skip(reader);
    return result;
  }
  json_enter(reader);
  while (json_next_member(reader, &name))
    if (json_is(&name, "imageUrl"))
      result.image_url = read_text_or_number(reader);
    else if (json_is(&name, "seed"))
      result.seed = read_text_or_number(reader);
    else if (json_is(&name, "finalPrompt"))
      result.final_prompt = read_text_or_number(reader);
    else
      json_skip(reader);
  return result;
}

static void read_results(JsonReader *reader, ApiReply *reply) {
  reply->result_count = 0;
  if (json_peek(reader) != JSON_ARRAY) {
    json_skip(reader);
    return;
  }
  json_enter(reader);
  while (json_next_element(reader)) {
    ApiResult result = read_result(reader);
    if (reply->result_count < RESULTS_MAX && result.image_url.at)
      reply->results[reply->result_count++] = result;
  }
}

static void read_member(JsonReader *reader, const JsonPiece *name,
                        ApiReply *reply) {
  if (json_is(name, "status"))
    read_status(reader, reply);
  else if (json_is(name, "jobId"))
    reply->id = read_id(reader);
  else if (json_is(name, "results"))
    read_results(reader, reply);
  else if (json_is(name, "balance"))
    reply->has_balance = read_balance(reader, &reply->balance);
  else if (json_is(name, "error"))
    reply->error = read_error(reader);
  else
    json_skip(reader);
}

/* Of an object as far as it can be read. */
static bool read_reply(JsonReader *reader, ApiReply *reply, const char *bytes,
                       size_t length) {
  JsonPiece name;
  reply->status = API_NONE;
  reply->word = WORD_DOCUMENTED;
  reply->said = reply->id = reply->error = (JsonPiece){0};
  reply->has_balance = false;
  reply->result_count = 0;
  if (!bytes)
    return false;
  json_begin(reader, bytes, length);
  if (json_peek(reader) != JSON_OBJECT)
    return false;
  json_enter(reader);
  while (json_next_member(reader, &name))
    read_member(reader, &name, reply);
  return true;
}

bool api_reply_read(ApiReply *reply, const char *bytes, size_t length) {
  JsonReader reader;
  return read_reply(&reader, reply, bytes, length) && json_ended(&reader);
}

/* A text that was not read to its closing quote is no id. */
JsonPiece api_reply_job_id(const char *bytes, size_t length) {
  JsonReader reader;
  ApiReply answer;
  if (!read_reply(&reader, &answer, bytes, length) ||
      !(json_ended(&reader) || json_is_beginning(&reader)))
    return (JsonPiece){0};
  return answer.id;
}
