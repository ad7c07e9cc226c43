/*
 * A download under way: see download.c, which has its attempts, and
 * download_bytes.c for what comes.  Private to the two.  I/O thread only.
 */
#ifndef GPTIMAGE2_ENGINE_DOWNLOAD_H
#define GPTIMAGE2_ENGINE_DOWNLOAD_H

#include "download_host.h"
#include "engine/core/op.h"
#include "engine/files/file.h"
#include "engine/files/image_walk.h"
#include "engine/http/http.h"

#define DOWNLOAD_ATTEMPTS 4

typedef struct Download {
  Op op;              /* first */
  DownloadHost *host; /* NULL when it waits for no place and has none */
  Permit permit;      /* for a place */
  char *url;
  char *redirected; /* where this attempt was sent on to, or NULL */
  char *path;       /* with "{ext}"; NULL = into memory */
  char *key;        /* of the ledger's job; NULL = it is not recorded */
  unsigned n;       /* which image of that */
  bool overwrite;
  bool fresh;     /* see DownloadSpec */
  double timeout; /* seconds, from its turn on */
  double deadline;
  unsigned attempts;
  unsigned shortages; /* in a row: see shortage.h */
  unsigned redirects;
  Failure trouble; /* why the attempt before came to nothing */
  Exchange *exchange;
  File file;
  Buffer memory;
  bool opened;           /* the file, for this exchange's first byte */
  bool checked;          /* this exchange's status and range fit what we have */
  bool odd_part;         /* it was given a part that it did not ask for */
  int64_t length;        /* bytes so far */
  char head[IMAGE_HEAD]; /* the first of them */
  ImageWalk walk;        /* for its end */
  char tag[HTTP_TAG_MAX + 1]; /* of the version they belong to */
  int64_t total;              /* its bytes as the host told, or -1 */
} Download;

/* The HttpSink.  False, but for a part that was not asked for, with the op's
 * failure set: it could not be written, or is too much. */
bool download_on_bytes(Exchange *exchange, const char *bytes, size_t length);

/* False when the parts so far are not all of it, by what HTTP says or by the
 * image itself. */
bool download_is_whole(const Download *download, const Exchange *exchange);

/* Into `last`: why there is no image, by what became of the exchange. */
void download_set_reason(const Download *download, const Exchange *exchange,
                         Failure *last);

/* Sets the op's failure, with the image's URL. */
void download_set_failure(Download *download, const char *kind,
                          const char *code, const char *why);

#endif
