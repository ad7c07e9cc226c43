/*
 * The service's JSON. Reading is jansson's; replies are few and fixed, so
 * they are written straight into one block that becomes the HTTP body.
 * Pure; runs on the server's thread.
 */
#include "wire.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/blank.h"

enum { WIRE_FIRST = 512, WIRE_MAX = 4 * 1024 * 1024 };

/* ---- writing ---- */

static bool reserve(WireText *out, size_t more) {
  size_t need = out->size + more + 1;
  if (out->text && need <= out->room)
    return true;
  size_t room = out->room == 0 ? WIRE_FIRST : out->room;
  while (room < need)
    room *= 2;
  char *text = room <= WIRE_MAX ? realloc(out->text, room) : NULL;
  if (!text)
    return false;
  out->text = text;
  out->room = room;
  return true;
}

static bool append(WireText *out, const char *text, size_t size) {
  if (!reserve(out, size))
    return false;
  if (size > 0)
    memcpy(out->text + out->size, text, size);
  out->size += size;
  out->text[out->size] = '\0';
  return true;
}

__attribute__((format(printf, 2, 3))) static bool
appendf(WireText *out, const char *format, ...) {
  char text[512]; /* every format used here stays below */
  va_list arguments;
  va_start(arguments, format);
  int size = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return size >= 0 && (size_t)size < sizeof text &&
         append(out, text, (size_t)size);
}

bool wire_string(WireText *out, const char *text, size_t size) {
  bool ok = append(out, "\"", 1);
  size_t from = 0;
  for (size_t i = 0; ok && i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= 0x20 && c != '"' && c != '\\')
      continue;
    ok = append(out, text + from, i - from);
    from = i + 1;
    if (c == '"' || c == '\\')
      ok = ok && appendf(out, "\\%c", c);
    else
      ok = ok && appendf(out, "\\u%04x", c);
  }
  return ok && append(out, text + from, size - from) && append(out, "\"", 1);
}

bool wire_error(WireText *out, const char *code) {
  return append(out, "{\"error\":", 9) &&
         wire_string(out, code, strlen(code)) && append(out, "}", 1);
}

static bool write_results(WireText *out, const Job *job, const char *base) {
  bool ok = append(out, ",\"results\":[", 12);
  for (int n = 1; ok && n <= job->count; n++) {
    uint64_t seed = job->seed + (uint64_t)n - 1;
    ok = appendf(out, "%s{\"imageUrl\":\"%s/generated/%s-%d.png\"",
                 n > 1 ? "," : "", base, job->id, n) &&
         appendf(out, ",\"seed\":\"%" PRIu64 "\",\"finalPrompt\":", seed) &&
         wire_string(out, job->final_prompt, job->final_size) &&
         append(out, "}", 1);
  }
  return ok && append(out, "]", 1);
}

static bool write_balance(WireText *out, const Balance *balance) {
  return appendf(out,
                 ",\"balance\":{\"paidCredits\":%" PRId64
                 ",\"freeImagesRemaining\":%" PRId64 ",\"totalImages\":%" PRId64
                 ",\"freeImagesPerDay\":%" PRId64 "}}",
                 balance->credits, balance->free_images, balance->images,
                 balance->free_per_day);
}

bool wire_job(WireText *out, const Job *job, JobStatus status,
              const Balance *balance, const char *base) {
  bool ok = appendf(out, "{\"jobId\":\"%s\",\"status\":\"%s\"", job->id,
                    service_status_name(status));
  if (status == JOB_SUCCEEDED) {
    ok = ok && write_results(out, job, base);
  } else if (status == JOB_FAILED) {
    ok = ok && append(out, ",\"error\":", 9) &&
         wire_string(out, job->error, strlen(job->error));
  }
  return ok && write_balance(out, balance);
}

/* ---- reading ---- */

/* A field's text without the spaces around it. */
typedef struct Span {
  const char *text;
  size_t size;
} Span;

static Span trimmed(const json_t *value) {
  Span span = {json_string_value(value), json_string_length(value)};
  span.size = span.text ? blank_trim(&span.text, span.size) : 0;
  return span;
}

/* null counts as absent, as it does for a service written in JavaScript. */
static json_t *field(const json_t *root, const char *name) {
  json_t *value = json_object_get(root, name);
  return json_is_null(value) ? NULL : value;
}

static bool is_web_url(const json_t *value) {
  const char *url = json_string_value(value);
  return url && (strncasecmp(url, "https://", 8) == 0 ||
                 strncasecmp(url, "http://", 7) == 0);
}

static const char *check_images(const json_t *images) {
  if (!json_is_array(images) || json_array_size(images) == 0)
    return "image_urls_required";
  for (size_t i = 0; i < json_array_size(images); i++)
    if (!is_web_url(json_array_get(images, i)))
      return "invalid_image_url";
  return NULL;
}

static const char *check_mode(const json_t *root) {
  json_t *mode = field(root, "mode");
  if (!mode)
    return NULL;
  const char *name = json_is_string(mode) ? json_string_value(mode) : "";
  if (strcmp(name, "image-to-image") == 0)
    return NULL; /* its images are checked last */
  return strcmp(name, "text-to-image") == 0 ? NULL : "invalid_mode";
}

static const char *read_ratio(const json_t *root, Order *order) {
  json_t *ratio = field(root, "ratio");
  order->ratio = RATIO_1_1;
  if (!ratio)
    return NULL;
  const char *name = json_is_string(ratio) ? json_string_value(ratio) : "";
  order->ratio = service_ratio(name);
  return order->ratio == RATIO_COUNT ? "invalid_ratio" : NULL;
}

static const char *read_count(const json_t *root, Order *order) {
  json_t *count = field(root, "count");
  order->count = 1;
  if (!count)
    return NULL;
  if (!json_is_number(count))
    return "invalid_count";
  double value = json_number_value(count);
  value = fmin(fmax(value, 1.0), SERVICE_MAX_COUNT);
  order->count = (int)value;
  return NULL;
}

/* prompt, style, lighting, camera --avoid: negative */
static bool build_final(const json_t *root, Span prompt, WireOrder *order) {
  static const char *const HINTS[] = {"style", "lighting", "camera"};
  WireText text = {0};
  bool ok = append(&text, prompt.text, prompt.size);
  for (size_t i = 0; ok && i < sizeof HINTS / sizeof *HINTS; i++) {
    Span hint = trimmed(field(root, HINTS[i]));
    if (hint.size > 0)
      ok = append(&text, ", ", 2) && append(&text, hint.text, hint.size);
  }
  Span avoid = trimmed(field(root, "negative"));
  if (ok && avoid.size > 0) {
    ok = append(&text, " --avoid: ", 10) &&
         append(&text, avoid.text, avoid.size);
  }
  if (!ok) {
    free(text.text);
    return false;
  }
  order->final_prompt = text.text;
  order->order.final_prompt = text.text;
  order->order.final_size = text.size;
  order->order.prompt_size = prompt.size;
  return true;
}

static const char *check_hints(const json_t *root) {
  static const char *const CODES[][2] = {{"style", "invalid_style"},
                                         {"lighting", "invalid_lighting"},
                                         {"camera", "invalid_camera"},
                                         {"negative", "invalid_negative"}};
  for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
    json_t *value = field(root, CODES[i][0]);
    if (value && !json_is_string(value))
      return CODES[i][1];
  }
  return NULL;
}

static const char *read_fields(const json_t *root, WireOrder *order) {
  json_t *value = field(root, "prompt");
  Span prompt = trimmed(json_is_string(value) ? value : NULL);
  if (prompt.size == 0)
    return "prompt_required";
  const char *wrong = check_mode(root);
  wrong = wrong ? wrong : read_ratio(root, &order->order);
  wrong = wrong ? wrong : read_count(root, &order->order);
  wrong = wrong ? wrong : check_hints(root);
  if (wrong)
    return wrong;
  const char *mode = json_string_value(field(root, "mode"));
  if (mode && strcmp(mode, "image-to-image") == 0)
    wrong = check_images(field(root, "imageUrls"));
  if (!wrong && !build_final(root, prompt, order))
    wrong = "out_of_memory";
  return wrong;
}

const char *wire_read_order(const char *body, size_t size, WireOrder *order) {
  *order = (WireOrder){.order = {.body = body, .body_size = size}};
  json_t *root = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);
  if (!json_is_object(root)) {
    json_decref(root);
    return "invalid_json";
  }
  const char *wrong = read_fields(root, order);
  json_decref(root);
  return wrong;
}

void wire_free_order(WireOrder *order) {
  free(order->final_prompt);
  order->final_prompt = NULL;
}
