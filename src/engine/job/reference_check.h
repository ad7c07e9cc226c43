/*
 * The checks of reference images, and their places.  Private to the files of
 * probe.h; I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_REFERENCE_CHECK_H
#define GPTIMAGE2_ENGINE_REFERENCE_CHECK_H

#include "engine/files/image.h"
#include "probe.h"

struct ReferenceCheck {
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
  unsigned left;      /* checks that are not over */
  unsigned shortages; /* in a row: see shortage.h */
  char *lacking;      /* owned: what this machine lacked last, or NULL */
  ReferenceCheck references[]; /* spec.count of them */
};

/* Waits for a place, behind all others. */
void reference_check_wait(ReferenceCheck *check);

/* Leaves the queue, or gives its place back. */
void reference_check_release(ReferenceCheck *check);

/* A place that is free; NULL = none. */
ReferenceCheck **reference_check_place(Checks *checks);

/* The first that waits for which there is room; NULL = none. */
ReferenceCheck *reference_check_next(const Checks *checks);

#endif
