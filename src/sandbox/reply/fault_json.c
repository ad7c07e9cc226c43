/*
 * How a fault changes the JSON of an answer: fields are changed by jansson,
 * what jansson would not write is put between by hand. Pure.
 */
#include "fault_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts put into the object ---- */

/* {"a":1} with "b":2 becomes {"b":2,"a":1}, or {"a":1,"b":2}. */
static bool insert(Reply *reply, const char *fields, size_t size, bool last) {
  const char *old = reply->text;
  if (!old || reply->size < 3 || old[0] != '{')
    return old;
  char *text = malloc(reply->size + size + 2);
  if (!text)
    return reply_set_text(reply, NULL, 0);
  size_t before = last ? reply->size - 1 : 1;
  char *to = text;
  memcpy(to, old, before);
  to += before;
  if (last)
    *to++ = ',';
  memcpy(to, fields, size);
  to += size;
  if (!last)
    *to++ = ',';
  memcpy(to, old + before, reply->size - before + 1);
  return reply_set_text(reply, text, reply->size + size + 1);
}

static bool duplicate(const Fault *fault, Reply *reply) {
  static const char FIELDS[] =
      "\"jobId\":\"00000000-0000-4000-8000-00000000000d\","
      "\"status\":\"failed\",\"error\":\"duplicate_keys\",\"results\":[],"
      "\"balance\":{\"paidCredits\":-1,\"paidCredits\":0}";
  return insert(reply, FIELDS, sizeof FIELDS - 1, fault->last);
}

static bool nest(const Fault *fault, Reply *reply) {
  static const char NAME[] = "\"nested\":";
  size_t depth = (size_t)fault->count, size = sizeof NAME - 1 + 2 * depth;
  char *text = malloc(size);
  if (!text)
    return reply_set_text(reply, NULL, 0);
  memcpy(text, NAME, sizeof NAME - 1);
  memset(text + sizeof NAME - 1, '[', depth);
  memset(text + sizeof NAME - 1 + depth, ']', depth);
  bool ok = insert(reply, text, size, false);
  free(text);
  return ok;
}

/* ---- fields ---- */

/* Takes over `value`. jansson stays as it was when there is no memory, which
 * shows at the end: the text is the old one. */
static void set(json_t *root, const char *name, json_t *value) {
  json_object_set_new_nocheck(root, name, value);
}

static void set_string(json_t *root, const char *name, const char *value) {
  set(root, name, json_string_nocheck(value));
}

/* NUL, colour, clear the screen, window title, line breaks, backspace, DEL,
 * an 8-bit CSI and a right-to-left override; then ordinary text. */
static json_t *escapes(const char *before) {
  static const char NASTY[] = "\0\033[31m\033[2J\033]0;title\a\r\n\b\177"
                              "\302\23331m\342\200\256end";
  char text[1024];
  size_t size = strnlen(before, sizeof text - sizeof NASTY);
  memcpy(text, before, size);
  memcpy(text + size, NASTY, sizeof NASTY - 1);
  return json_stringn_nocheck(text, size + sizeof NASTY - 1);
}

static void add_escapes(json_t *root) {
  json_t *results = json_object_get(root, "results");
  for (size_t i = 0; i < json_array_size(results); i++) {
    json_t *result = json_array_get(results, i);
    set(result, "finalPrompt", escapes("a prompt"));
    set(result, "seed", escapes("1"));
  }
  json_t *error = json_object_get(root, "error");
  if (error)
    set(root, "error", escapes(json_string_value(error)));
  set(root, "message", escapes("a message"));
}

static json_t *shaped_results(FaultShape shape) {
  switch (shape) {
  case SHAPE_EMPTY:
    return json_array();
  case SHAPE_WITHOUT_URLS:
    return json_pack("[{s:s,s:s}]", "seed", "1", "finalPrompt", "a cup");
  case SHAPE_NULL_URLS:
    return json_pack("[{s:n,s:s},n]", "imageUrl", "seed", "1");
  case SHAPE_OBJECT:
    return json_pack("{s:s}", "imageUrl", "https://file.invalid/a.png");
  default:
    return json_null();
  }
}

static void set_results(const Fault *fault, json_t *root) {
  set_string(root, "status", "succeeded");
  json_object_del(root, "results");
  json_object_del(root, "error");
  if (fault->shape != SHAPE_ABSENT)
    set(root, "results", shaped_results(fault->shape));
}

static void set_failed(const Fault *fault, json_t *root) {
  set_string(root, "status", "failed");
  set_string(root, "error", fault->error);
  json_object_del(root, "results");
}

/* Changes the fields of an answer about a job. */
static void change(const Fault *fault, json_t *root, Reply *reply) {
  switch (fault->action) {
  case FAULT_UNKNOWN_STATUS:
    set_string(root, "status", fault->line);
    json_object_del(root, "results");
    reply->status = fault->status != 0 ? fault->status : reply->status;
    break;
  case FAULT_OTHER_JOB:
    set_string(root, "jobId", fault->line);
    break;
  case FAULT_FAILED:
    set_failed(fault, root);
    reply->status = MHD_HTTP_OK;
    break;
  case FAULT_RESULTS:
    set_results(fault, root);
    reply->status = MHD_HTTP_OK;
    break;
  default:
    break;
  }
}

static bool rewrite(const Fault *fault, Reply *reply) {
  json_t *root = json_loadb(reply->text, reply->size, JSON_ALLOW_NUL, NULL);
  if (!json_is_object(root)) {
    json_decref(root);
    return true;
  }
  if (fault->action == FAULT_ESCAPES)
    add_escapes(root);
  else if (json_object_get(root, "jobId"))
    change(fault, root, reply);
  char *text = json_dumps(root, JSON_COMPACT);
  json_decref(root);
  return reply_set_text(reply, text, text ? strlen(text) : 0);
}

bool fault_json(const Fault *fault, Reply *reply) {
  switch (fault->action) {
  case FAULT_DUPLICATE_KEYS:
    return duplicate(fault, reply);
  case FAULT_NESTING:
    return nest(fault, reply);
  case FAULT_ESCAPES:
    if (fault->status >= 400)
      reply_replace(reply, reply_error(fault->status, "content_policy"));
    return rewrite(fault, reply);
  case FAULT_UNKNOWN_STATUS:
  case FAULT_OTHER_JOB:
  case FAULT_FAILED:
  case FAULT_RESULTS:
    return rewrite(fault, reply);
  default: /* nothing of its content */
    return true;
  }
}
