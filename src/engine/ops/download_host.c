/* The places of downloads: see download_host.h. */
#include "download_host.h"

#include "engine/base/url.h"

#include <stdlib.h>
#include <string.h>

static void append(Downloads *downloads, DownloadHost *host) {
  DownloadHost **end = &downloads->hosts;
  while (*end)
    end = &(*end)->next;
  host->next = NULL;
  *end = host;
}

static void take_out(Downloads *downloads, DownloadHost *host) {
  DownloadHost **place = &downloads->hosts;
  while (*place != host)
    place = &(*place)->next;
  *place = host->next;
}

static DownloadHost *host_new(const Url *url) {
  DownloadHost *host = malloc(sizeof *host + url->host_length);
  if (!host)
    return NULL;
  *host = (DownloadHost){.length = url->host_length};
  memcpy(host->name, url->host, url->host_length);
  return host;
}

DownloadHost *download_host_enter(Downloads *downloads, const char *url) {
  DownloadHost *host = downloads->hosts;
  Url parts = {.host = ""};
  url_parse_any(url, &parts); /* of one that may be fetched */
  while (host && !url_is_host(&parts, host->name, host->length))
    host = host->next;
  if (!host && (host = host_new(&parts)))
    append(downloads, host);
  if (host)
    host->users++;
  return host;
}

void download_host_join(DownloadHost *host, Permit *permit) {
  permit->limiter = &host->limiter;
  limiter_wait(permit);
}

void download_host_leave(Downloads *downloads, DownloadHost *host,
                         Permit *permit) {
  bool active = permit->active;
  limiter_release(permit);
  host->users--;
  if (host->users > 0 && !active)
    return;
  take_out(downloads, host);
  if (active)
    downloads->active--;
  if (host->users > 0)
    append(downloads, host);
  else
    free(host);
}

static bool may_begin(const Downloads *downloads, const DownloadHost *host) {
  unsigned has = host->limiter.active;
  if (!turn_first(&host->limiter))
    return false;
  if (has == 0)
    return downloads->active < DOWNLOADS_MAX + DOWNLOADS_FIRST;
  return downloads->active < DOWNLOADS_MAX && has < DOWNLOADS_HOST_MAX;
}

/* The one with the fewest places; of several the one that waits longest. */
static DownloadHost *next_host(const Downloads *downloads) {
  DownloadHost *next = NULL;
  for (DownloadHost *host = downloads->hosts; host; host = host->next)
    if (may_begin(downloads, host) &&
        (!next || host->limiter.active < next->limiter.active))
      next = host;
  return next;
}

/* One may end while it begins and come back here: the outer call goes on. */
void downloads_advance(Downloads *downloads) {
  DownloadHost *host;
  if (downloads->dispatching)
    return;
  downloads->dispatching = true;
  while ((host = next_host(downloads))) {
    Permit *permit = turn_first(&host->limiter);
    limiter_release(permit);
    limiter_acquire(permit);
    downloads->active++;
    take_out(downloads, host);
    append(downloads, host);
    permit->begin(permit);
  }
  downloads->dispatching = false;
}
