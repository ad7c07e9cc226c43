/* Creates that the server refused: see http_refused.h. */
#include "http_refused.h"

#include "engine/base/platform.h"

#include <string.h>

static bool begins_with(const char *text, size_t length, const char *words) {
  size_t wanted = strlen(words);
  return length >= wanted && memcmp(text, words, wanted) == 0;
}

/* The create has the first stream of its connection: the last one that the
 * server will answer comes before it only when that is none. */
static bool is_goodbye(const char *text, size_t length) {
  static const char last[] = "last_stream=0";
  const char *found;
  if (!begins_with(text, length, "received GOAWAY, error=") &&
      !begins_with(text, length, "recveived GOAWAY, error=")) /* until 8.0 */
    return false;
  found = platform_find(text, length, last, sizeof last - 1);
  if (!found)
    return false;
  found += sizeof last - 1;
  return found == text + length || *found < '0' || *found > '9';
}

int http_on_debug(CURL *easy, curl_infotype type, char *text, size_t length,
                  void *user) {
  Exchange *exchange = user;
  (void)easy;
  if (type == CURLINFO_HEADER_OUT || type == CURLINFO_DATA_OUT)
    exchange->wrote |= exchange->sent_once && length > 0;
  if (type != CURLINFO_TEXT || !exchange->service->secure ||
      !exchange->sent_once || exchange->header_bytes > 0)
    return 0;
  if (begins_with(text, length, "Downgrades to HTTP/1.1"))
    exchange->refused = exchange->service->needs_http1 = true;
  else if (begins_with(text, length, "REFUSED_STREAM, retrying a fresh") ||
           is_goodbye(text, length))
    exchange->refused = true;
  return 0;
}
