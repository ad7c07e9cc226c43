/*
 * One answer, and how a fault spoils it on its way into MHD. A Reply owns its
 * text and its reference to a picture until it is queued or dropped. Runs on
 * the server's thread.
 */
#ifndef GPTIMAGE2_SANDBOX_REPLY_H
#define GPTIMAGE2_SANDBOX_REPLY_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "fault.h"
#include "picture.h"

typedef struct Reply {
  unsigned status;
  const char *type; /* a constant: the content type */
  char *text;       /* malloc'ed, or NULL with a picture */
  Picture *picture;
  size_t offset, size; /* the part of text or picture that is sent */
  bool replayed;       /* an idempotency key's first answer, again */
} Reply;

/* {"error":code} with that status. Without memory the text stays NULL. */
Reply reply_error(unsigned status, const char *code);

/*
 * The picture, or the part of it that the request's Range asks for. Takes
 * over the reference; NULL (no memory) becomes a 500.
 */
Reply reply_picture(struct MHD_Connection *connection, Picture *picture);

void reply_drop(Reply *reply);

/*
 * Queues the reply as `fault` (NULL: none) leaves it, and drops it. `*status`
 * is what was queued. MHD_NO: no memory, the connection is to be closed.
 */
enum MHD_Result reply_queue(Reply *reply, struct MHD_Connection *connection,
                            const Fault *fault, unsigned *status);

#endif
