/*
 * The looks at reference images, and their places.  Private to the files of
 * probe.h; I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_LOOK_H
#define GPTIMAGE2_ENGINE_LOOK_H

#include "engine/files/image.h"
#include "probe.h"

struct Look {
  Probe *probe;
  unsigned index;     /* of its URL */
  const char *host;   /* in that URL */
  size_t host_length; /* bytes */
  Exchange *exchange; /* NULL = none */
  char *redirected;   /* owned: where a redirect led, or NULL */
  unsigned redirects;
  unsigned tries;
  double deadline; /* of this try */
  double again_at; /* when the next try may begin, 0 = it is not to */
  QueueLink link;  /* among those who wait for a place */
  char head[IMAGE_HEAD];
  size_t head_length;
};

struct Probe {
  Loop *loop;
  Checks *checks;
  Account *account;
  ProbeSpec spec;
  unsigned left;      /* looks that are not over */
  unsigned shortages; /* in a row: see shortage.h */
  char *lacking;      /* owned: what this machine lacked last, or NULL */
  Look looks[];       /* spec.count of them */
};

/* Waits for a place, behind all others. */
void look_join(Look *look);

/* Leaves the queue, or gives its place back. */
void look_leave(Look *look);

/* A place that is free; NULL = none. */
Look **look_place(Checks *checks);

/* The first that waits for which there is room; NULL = none. */
Look *look_next(const Checks *checks);

#endif
