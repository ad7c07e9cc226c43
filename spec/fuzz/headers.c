/*
 * What a server's headers may do (http_reply.c, retry_after.c, image.c): the
 * input is a switch and lines, given to libcurl's callbacks in memory of just
 * their size, and found again by a stand-in for curl_easy_header.
 */
#include "fuzz.h"

#include "engine/files/image.h"
#include "engine/http/http_reply.h"
#include "engine/http/retry_after.h"

#include <strings.h>

#define KEY "sk-secret-0123456789"

static long status;        /* what libcurl would say of the exchange */
static long request_bytes; /* likewise */

static char *lines[1 << 10]; /* name, NUL, value */
static size_t line_count;

/* Takes the line, as libcurl does: a name, a colon, and what is left of the
 * space around it is the value, which a NUL ends. */
static void keep_line(const char *line, size_t length) {
  const char *colon = length ? memchr(line, ':', length) : NULL;
  const char *value = colon ? colon + 1 : NULL;
  const char *end = line + length;
  char *kept;
  if (!value || line_count == COUNT(lines))
    return;
  while (value < end && (*value == ' ' || *value == '\t'))
    value++;
  while (end > value && strchr("\r\n \t", end[-1]))
    end--;
  lines[line_count++] = kept = calloc(1, length + 2);
  if (!kept)
    abort();
  memcpy(kept, line, (size_t)(colon - line));
  memcpy(kept + (colon - line) + 1, value, (size_t)(end - value));
}

static void forget_lines(void) {
  while (line_count > 0)
    free(lines[--line_count]);
}

/* In place of libcurl's. */
static CURLHcode find_header(CURL *easy, const char *name, size_t index,
                             unsigned origin, int request,
                             struct curl_header **out) {
  static struct curl_header found;
  (void)easy;
  check(index == 0 && origin == CURLH_HEADER && request == -1, "which one?");
  for (size_t i = 0; i < line_count; i++)
    if (strcasecmp(lines[i], name) == 0) {
      found.value = lines[i] + strlen(name) + 1;
      *out = &found;
      return CURLHE_OK;
    }
  return CURLHE_MISSING;
}

/* In place of libcurl's: it has a variable argument list, too. */
static CURLcode getinfo(CURL *easy, CURLINFO info, ...) {
  va_list arguments;
  long *out;
  (void)easy;
  va_start(arguments, info);
  if (info == CURLINFO_PRIMARY_IP) {
    *va_arg(arguments, char **) = NULL;
    va_end(arguments);
    return CURLE_OK;
  }
  out = va_arg(arguments, long *);
  va_end(arguments);
  *out = info == CURLINFO_RESPONSE_CODE ? status : request_bytes;
  return CURLE_OK;
}

static bool is_wait(double seconds) {
  return seconds == -1 || (seconds >= 0 && seconds <= RETRY_AFTER_CEILING);
}

static void look_at(const Exchange *exchange) {
  size_t length = strnlen(exchange->tag, sizeof exchange->tag);
  check(is_wait(exchange->reply.retry_after), "a wait of %f",
        exchange->reply.retry_after);
  check(length <= HTTP_TAG_MAX, "a tag without an end");
  check(length == 0 || exchange->tag[0] == '"', "a weak tag is kept");
  for (size_t i = 0; i < length; i++) /* it goes into a request's header */
    check((unsigned char)exchange->tag[i] >= 0x20 && exchange->tag[i] != 0x7f,
          "byte %02x in a tag", (unsigned char)exchange->tag[i]);
  check(exchange->range_start >= -1, "a range from before the start");
  check(exchange->range_total >= -1, "a negative total");
  check(exchange->body.length <= HTTP_REPLY_MAX, "a body over its maximum");
}

static void give_lines(Input *input, Exchange *exchange) {
  while (input->at < input->end) {
    size_t length;
    char *line = input_text(input, '\n', false, &length);
    size_t taken;
    keep_line(line, length);
    taken = http_on_header(line, 1, length, exchange);
    free(line);
    check(taken == length || exchange->too_large, "%zu of %zu", taken, length);
    check(taken == 0 || exchange->header_bytes <= HTTP_HEADERS_MAX,
          "headers over their maximum");
    look_at(exchange);
  }
}

static void see_outcome(Exchange *exchange, CURLcode code) {
  const HttpOutcome *reply = &exchange->reply;
  bool out = request_bytes > 0 && exchange->sent_once;
  http_read_outcome(exchange, code);
  check((code == CURLE_OK && exchange->headers_done && status >= 200) ==
            (reply->kind == OUTCOME_ANSWERED),
        "answered?");
  check(reply->kind != OUTCOME_LOST || out, "lost, but never sent");
  check(reply->kind == OUTCOME_ANSWERED || exchange->blocked || !out ||
            reply->kind == OUTCOME_LOST,
        "sent, and told as not sent");
  check(!reply->partial || (reply->kind == OUTCOME_LOST && status / 100 == 2 &&
                            exchange->body.length > 0),
        "a beginning of nothing");
  check(reply->kind == OUTCOME_ANSWERED || exchange->blocked ||
            (exchange->failure.kind && exchange->failure.code),
        "a failure without a reason");
}

static void try_dates(const char *text) {
  check(is_wait(retry_after_read(NULL, text, NULL, 0)), "a wait");
  check(is_wait(retry_after_read(NULL, text, NULL, 1e10)), "a wait, late");
  check(is_wait(retry_after_read(NULL, text, text, 0)), "a wait of its own");
  check(is_wait(retry_after_read(text, NULL, NULL, 0)), "a wait in ms");
}

static void try_image(const uint8_t *data, size_t size) {
  Input input = {data, data + (size < IMAGE_HEAD ? size : IMAGE_HEAD)};
  size_t length;
  char *head = input_text(&input, '\1', false, &length);
  const char *extension = image_extension(head, length);
  check(!extension || (strlen(extension) >= 3 && length >= 3), "an image");
  free(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input = {data, data + size};
  unsigned bits = input_byte(&input);
  static char authorization[] = "Authorization: Bearer " KEY;
  static Service service = {.authorization = authorization}; /* and no proxy,
                                       on which the code of a failure depends */
  Exchange exchange = {.service = &service,
                       .without_key = bits & 1,
                       .create = bits & 2,
                       .sent_once = bits & 4,
                       .blocked = (bits & 12) == 8,
                       .range_start = -1,
                       .range_total = -1};
  CURLcode code = (CURLcode)(input_byte(&input) % CURL_LAST);
  char *text;
  size_t length;
  curl_lib.easy_getinfo = getinfo;
  curl_lib.easy_strerror = curl_easy_strerror;
  curl_lib.easy_header = find_header;
  curl_lib.getdate = curl_getdate;
  exchange.reply.retry_after = -1;
  status = 100 + input_byte(&input) * 2;
  request_bytes = bits & 16 ? 500 : 0;
  if (code == CURLE_OK)
    request_bytes = 500;
  buffer_init(&exchange.body, bits & 32 ? 8 : HTTP_REPLY_MAX);
  text = input_text(&input, '\n', true, &length);
  try_dates(text);
  if (http_on_body(text, 1, length, &exchange) != length)
    check(exchange.too_large || length > 8, "a body is refused");
  free(text);
  give_lines(&input, &exchange);
  see_outcome(&exchange, code);
  look_at(&exchange);
  check(exchange.body.length == 0 ||
            !memmem(exchange.body.data, exchange.body.length, KEY,
                    sizeof KEY - 1),
        "the key is kept");
  failure_clear(&exchange.failure);
  free(exchange.location);
  forget_lines();
  buffer_free(&exchange.body);
  try_image(data, size);
  return 0;
}
