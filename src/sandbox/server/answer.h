/*
 * What the service answers to a request that has come in whole: the routes
 * and their rules. Runs on the daemon's thread.
 */
#ifndef GPTIMAGE2_SANDBOX_ANSWER_H
#define GPTIMAGE2_SANDBOX_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/faults/fault.h"
#include "sandbox/reply/reply.h"
#include "server_state.h"

enum { ANSWER_MAX_NAME = 272 };

/* A request. Texts belong to whoever holds it, for as long as it is open. */
typedef struct Question {
  struct MHD_Connection *connection;
  const char *path;
  FaultOn on;
  bool wrong_method;          /* a path we have, but not so */
  bool plain;                 /* a reference that is text, not an image */
  int n;                      /* of an image, from 1 */
  char name[ANSWER_MAX_NAME]; /* a job's id, or a reference's name */
  const char *body;
  size_t body_size;
  bool too_long;
  const char *authorization, *key_name; /* NULL: no such header */
  Key *key;
} Question;

/* Finds out from path and method what is asked for. */
void answer_route(Question *question, const char *url, const char *method);

/* Does the work and gives the answer. Takes the server's lock. */
Reply answer(Server *server, const Question *question);

/* Whether `name` may name a reference image. */
bool answer_is_name(const char *name);

#endif
