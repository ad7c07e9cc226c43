/* Why there is no image, in words: see download.h. */
#include "download.h"

static const char *times(unsigned attempts) {
  static const char *const words[] = {"", "", " (twice)", " (three times)",
                                      " (four times)"};
  return words[attempts < DOWNLOAD_ATTEMPTS ? attempts : DOWNLOAD_ATTEMPTS];
}

void download_set_reason(const Download *download, const Exchange *exchange,
                         Failure *last) {
  const Failure *failure = &exchange->failure;
  int status = exchange->reply.status;
  const char *url = download->url;
  const char *often = times(download->attempts);
  if (download->odd_part)
    failure_set(last, "protocol", "unexpected_status",
                "the image host answered with a part of the image that was not "
                "asked for (HTTP status %d)%s: %.*s",
                status, often, url_shown(url), url);
  else if (failure->kind)
    failure_set(last, failure->kind, failure->code,
                "the image could not be fetched%s: %s: %.*s", often,
                failure->detail ? failure->detail : failure->code,
                url_shown(url), url);
  else
    failure_set(last, "network", "image_refused",
                "the image host answered with HTTP status %d%s%s: %.*s", status,
                status / 100 == 3 ? " and names no other place" : "", often,
                url_shown(url), url);
}
