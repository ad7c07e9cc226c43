/*
 * The places of downloads: so many at once, and of them so many from one host,
 * lest one that is silent has all of them.
 *
 * A download waits for a place of its host first, and with that for one of all.
 * I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_DOWNLOAD_HOST_H
#define GPTIMAGE2_ENGINE_DOWNLOAD_HOST_H

#include "turn.h"

#include <stddef.h>

typedef struct DownloadHost {
  Turns turns;
  unsigned users; /* downloads from it, and who needs it now */
  struct DownloadHost *next;
  size_t length;
  char name[]; /* `length` bytes */
} DownloadHost;

typedef struct Downloads {
  Turns turns;         /* of all of them */
  DownloadHost *hosts; /* those with users */
} Downloads;

/* The host of `url`, in use by one more; NULL without memory. */
DownloadHost *download_host_enter(Downloads *downloads, const char *url);

/* Begins what may begin there. */
void download_host_advance(Downloads *downloads, DownloadHost *host);

/* Used by one less; the last one frees it. */
void download_host_leave(Downloads *downloads, DownloadHost *host);

#endif
