/*
 * The places of downloads: so many at once, and of them so many from one host.
 *
 * A host that is silent keeps its places for long.  So a host that has none may
 * have one beyond those of all, and a place that is free goes to the host with
 * the fewest: a few silent ones do not hold up the others.
 *
 * Pure but for the memory of hosts.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_DOWNLOAD_HOST_H
#define GPTIMAGE2_ENGINE_DOWNLOAD_HOST_H

#include "engine/rules/limiter.h"

#include <stdbool.h>
#include <stddef.h>

/* Downloads at once, the rest wait: each has three descriptors. */
#define DOWNLOADS_MAX 16
#define DOWNLOADS_HOST_MAX 12 /* of them from one host */
#define DOWNLOADS_FIRST 8     /* beyond, of hosts that have none */

typedef struct DownloadHost {
  Limiter limiter; /* those who wait, and how many do not */
  unsigned users;  /* all of them */
  struct DownloadHost *next;
  size_t length;
  char name[]; /* `length` bytes */
} DownloadHost;

typedef struct Downloads {
  unsigned active;     /* with a place, of all hosts */
  DownloadHost *hosts; /* those with users; who had a place last, last */
  bool dispatching; /* inside of downloads_advance; or none begins any more */
} Downloads;

/* The host of `url`, in use by one more; NULL without memory. */
DownloadHost *download_host_enter(Downloads *downloads, const char *url);

/* Waits for a place; downloads_advance then begins what may begin.  `permit` is
 * whole but for its queue. */
void download_host_join(DownloadHost *host, Permit *permit);

/* Gives back the place, or the wait for one; the last user frees the host. */
void download_host_leave(Downloads *downloads, DownloadHost *host,
                         Permit *permit);

/* Begins what may begin. */
void downloads_advance(Downloads *downloads);

#endif
