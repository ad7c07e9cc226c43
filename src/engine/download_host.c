/* The places of downloads: see download_host.h. */
#include "download_host.h"

#include "engine.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>

static DownloadHost *host_new(const Url *url) {
  DownloadHost *host = malloc(sizeof *host + url->host_length);
  if (!host)
    return NULL;
  *host = (DownloadHost){.length = url->host_length};
  host->turns.pace.limit = ENGINE_DOWNLOADS_HOST_MAX;
  memcpy(host->name, url->host, url->host_length);
  return host;
}

DownloadHost *download_host_enter(Downloads *downloads, const char *url) {
  DownloadHost *host = downloads->hosts;
  Url parts = {.host = ""};
  url_parse_any(url, &parts); /* of one that may be fetched */
  while (host && !url_is_host(&parts, host->name, host->length))
    host = host->next;
  if (!host && (host = host_new(&parts))) {
    host->next = downloads->hosts;
    downloads->hosts = host;
  }
  if (host)
    host->users++;
  return host;
}

void download_host_advance(Downloads *downloads, DownloadHost *host) {
  host->users++; /* its last download may end while it begins */
  turn_advance(&host->turns);
  download_host_leave(downloads, host);
}

void download_host_leave(Downloads *downloads, DownloadHost *host) {
  DownloadHost **place = &downloads->hosts;
  if (--host->users > 0)
    return;
  while (*place != host)
    place = &(*place)->next;
  *place = host->next;
  free(host);
}
