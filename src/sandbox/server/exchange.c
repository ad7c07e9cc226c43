/*
 * One HTTP exchange. A Request owns the body and the reply until MHD takes
 * that over, and holds the rule of the fault that hit it. Runs on the
 * daemon's thread; what Lua's thread sees too is touched under the lock.
 */
#include "exchange.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "answer.h"
#include "fault_response.h"
#include "sandbox/faults/fault_kind.h"
#include "sandbox/reply/body.h"
#include "server_state.h"

enum {
  DRAIN_MAX = 64 * 1024 * 1024, /* of a body that is too long: then hang up */
  BODY_FIRST = 2048
};

typedef enum Phase {
  PHASE_BODY, /* still coming in */
  PHASE_HELD, /* the answer waits for its time */
  PHASE_HUNG  /* none will come, or it was sent past MHD */
} Phase;

typedef struct Request {
  Question question;
  char *body;
  size_t room, drained;
  Phase phase;
  Delay delay;
  RawWriter writer;
  Fault *fault;
  Reply reply;
  uint64_t number; /* in the journal */
} Request;

static const char *header_of(struct MHD_Connection *connection,
                             const char *name) {
  return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* ---- taking the request in ---- */

static Request *new_request(struct MHD_Connection *connection, const char *url,
                            const char *method) {
  Request *request = calloc(1, sizeof *request);
  if (request) {
    request->question.connection = connection;
    answer_route(&request->question, url, method);
  }
  return request;
}

static enum MHD_Result take_body(Request *request, const char *data,
                                 size_t size) {
  Question *question = &request->question;
  if (question->body_size + size > SERVER_MAX_BODY) {
    question->too_long = true;
    request->drained += size;
    return request->drained <= DRAIN_MAX ? MHD_YES : MHD_NO;
  }
  if (question->body_size + size > request->room) {
    size_t room = request->room == 0 ? BODY_FIRST : request->room;
    while (room < question->body_size + size)
      room *= 2;
    char *body = realloc(request->body, room);
    if (!body)
      return MHD_NO;
    request->body = body;
    request->room = room;
  }
  memcpy(request->body + question->body_size, data, size);
  question->body_size += size;
  question->body = request->body;
  return MHD_YES;
}

static void copy(char *to, size_t size, const char *text) {
  snprintf(to, size, "%s", text ? text : "");
}

/* Notes the request, and lets the faults choose. */
static void note(Server *server, Request *request, const char *url,
                 const char *method) {
  Question *question = &request->question;
  struct MHD_Connection *connection = question->connection;
  question->authorization = header_of(connection, "Authorization");
  question->key_name = header_of(connection, "Idempotency-Key");
  pthread_mutex_lock(&server->lock);
  server->requests[question->on]++;
  JournalEntry *entry = journal_add(&server->journal, &request->number);
  entry->time = server_now(server);
  entry->authorization = question->authorization;
  copy(entry->method, sizeof entry->method, method);
  copy(entry->path, sizeof entry->path, url);
  copy(entry->key, sizeof entry->key, question->key_name);
  copy(entry->user_agent, sizeof entry->user_agent,
       header_of(connection, "User-Agent"));
  copy(entry->range, sizeof entry->range, header_of(connection, "Range"));
  if (question->on == ON_CREATE)
    question->key = service_key(&server->service, question->key_name);
  bool repeated = question->key && question->key->posts > 1;
  request->fault = fault_take(&server->faults, question->on, repeated);
  pthread_mutex_unlock(&server->lock);
}

/* ---- giving the answer out ---- */

static void note_status(Server *server, const Request *request) {
  pthread_mutex_lock(&server->lock);
  journal_status(&server->journal, request->number, request->reply.status);
  pthread_mutex_unlock(&server->lock);
}

/* The answer goes out past MHD, which only closes the connection after it. */
static enum MHD_Result send_raw(Server *server, Request *request,
                                const char *method) {
  bool bare = strcmp(method, "HEAD") == 0;
  if (!fault_stream_make(&request->writer.stream, &request->reply,
                         request->fault, bare))
    return MHD_NO;
  request->phase = PHASE_HUNG;
  raw_writer_hold(&server->raw_writers, &request->writer,
                  request->question.connection);
  return MHD_YES;
}

static enum MHD_Result finish(Server *server, Request *request,
                              const char *method) {
  struct MHD_Connection *connection = request->question.connection;
  const Fault *fault = request->fault;
  Reply *reply = &request->reply;
  if (fault && fault->action == FAULT_RESET) {
    raw_writer_reset(connection);
    return MHD_NO;
  }
  if (fault && fault->action == FAULT_CLOSE)
    return MHD_NO;
  if (fault && reply_data(reply))
    fault_response(server, &request->question, fault, reply);
  if (!reply_data(reply)) { /* there was no memory for it */
    reply_replace(reply,
                  reply_error(MHD_HTTP_INTERNAL_SERVER_ERROR, "out_of_memory"));
  }
  note_status(server, request);
  if (fault && fault_kinds[fault->action].raw_writers)
    return send_raw(server, request, method);
  return body_queue(reply, connection, fault);
}

/* Whether the fault leaves anything of the true answer. */
static bool wants_reply(const Request *request) {
  const Fault *fault = request->fault;
  if (!fault)
    return true;
  switch (fault->action) {
  case FAULT_HANG:
  case FAULT_RESET:
  case FAULT_CLOSE:
  case FAULT_RAW:
    return false;
  default:
    return !fault_kinds[fault->action].refuses;
  }
}

static void work(Server *server, Request *request) {
  bool create = request->question.on == ON_CREATE;
  if (create && request->fault && !request->fault->work) {
    request->reply =
        reply_error(MHD_HTTP_SERVICE_UNAVAILABLE, "service_unavailable");
  } else if (create || wants_reply(request)) {
    request->reply = answer(server, &request->question);
  } else {
    request->reply = reply_error(MHD_HTTP_INTERNAL_SERVER_ERROR, "replaced");
  }
}

static enum MHD_Result begin(Server *server, Request *request, const char *url,
                             const char *method) {
  note(server, request, url, method);
  work(server, request);
  const Fault *fault = request->fault;
  bool hung = fault && fault->action == FAULT_HANG;
  if (!hung && (!fault || !(fault->seconds > 0)))
    return finish(server, request, method);
  request->phase = hung ? PHASE_HUNG : PHASE_HELD;
  delays_hold(&server->delays, &request->delay, request->question.connection,
              hung ? INFINITY : fault->seconds);
  return MHD_YES;
}

enum MHD_Result exchange_handle(void *cls, struct MHD_Connection *connection,
                                const char *url, const char *method,
                                const char *version, const char *data,
                                size_t *size, void **state) {
  Server *server = cls;
  Request *request = *state;
  (void)version;
  if (!request) {
    *state = new_request(connection, url, method);
    return *state ? MHD_YES : MHD_NO;
  }
  if (*size > 0) {
    size_t taken = *size;
    *size = 0;
    return take_body(request, data, taken);
  }
  if (request->phase == PHASE_BODY)
    return begin(server, request, url, method);
  if (request->phase == PHASE_HUNG || delays_closed(&server->delays))
    return MHD_NO;
  return finish(server, request, method);
}

void exchange_completed(void *cls, struct MHD_Connection *connection,
                        void **state, enum MHD_RequestTerminationCode how) {
  Server *server = cls;
  Request *request = *state;
  (void)connection;
  (void)how;
  if (!request)
    return;
  pthread_mutex_lock(&server->lock);
  fault_release(request->fault);
  pthread_mutex_unlock(&server->lock);
  fault_stream_free(&request->writer.stream);
  reply_drop(&request->reply);
  free(request->body);
  free(request);
  *state = NULL;
}

void exchange_connection(void *cls, struct MHD_Connection *connection,
                         void **socket_context,
                         enum MHD_ConnectionNotificationCode what) {
  Server *server = cls;
  (void)connection;
  (void)socket_context;
  pthread_mutex_lock(&server->lock);
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    server->connections++;
    server->open++;
    if (server->open > server->most)
      server->most = server->open;
  } else {
    server->open--;
  }
  pthread_mutex_unlock(&server->lock);
}
