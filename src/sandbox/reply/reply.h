/*
 * One answer: status, headers and content. A Reply owns its texts and its
 * reference to a picture until it is dropped or its content is handed on.
 * Runs on the server's thread.
 */
#ifndef GPTIMAGE2_SANDBOX_REPLY_H
#define GPTIMAGE2_SANDBOX_REPLY_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "sandbox/faults/fault.h"
#include "sandbox/image/picture.h"

typedef struct Reply {
  unsigned status;
  const char *type;     /* the content type: a constant, or the fault's */
  const char *encoding; /* a constant; NULL: none */
  char *text;           /* malloc'ed, or NULL with a picture */
  Picture *picture;
  size_t offset, size; /* the part of text or picture that is sent */
  char etag[24];       /* a picture's; "": this is none, or not any more */
  char range[80];      /* the Content-Range; "": none */
  char *location;      /* malloc'ed; NULL: no redirect */
  bool replayed;       /* an idempotency key's first answer, again */
} Reply;

/* {"error":code} with that status. Without memory the text stays NULL. */
Reply reply_error(unsigned status, const char *code);

/*
 * The picture, or the part of it that the request's Range asks for. Takes
 * over the reference; NULL (no memory) becomes a 500.
 */
Reply reply_picture(struct MHD_Connection *connection, Picture *picture);

/* The first byte of what is sent; NULL: there was no memory for it. */
const char *reply_data(const Reply *reply);

/* Puts another answer in the place of this one. */
void reply_replace(Reply *reply, Reply other);

/* Puts another content, malloc'ed or copied, under the same headers. False:
 * no memory (the text was NULL), and there is no content any more. */
bool reply_set_text(Reply *reply, char *text, size_t size);
bool reply_copy_text(Reply *reply, const char *text, size_t size);

/* Calls `each` with every header but Content-Length; the fault's own ones
 * (NULL: no fault) come first. */
typedef void ReplyHeader(void *to, const char *name, const char *value);
void reply_each_header(const Reply *reply, const Fault *fault,
                       ReplyHeader *each, void *to);

void reply_drop(Reply *reply);

#endif
