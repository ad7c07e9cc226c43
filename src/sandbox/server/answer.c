/*
 * What the service answers: the routes and their rules. Runs on the daemon's
 * thread; the lock is held for the books only, not while JSON is read or
 * written or a picture is drawn.
 */
#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sandbox/reply/wire.h"

static const int REFERENCE_SIDE = 256;
static const char REFERENCE_TEXT[] = "This is not an image.\n";

/* ---- routes ---- */

bool answer_is_name(const char *name) {
  size_t size = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789_-");
  return size > 0 && size <= 64 && name[size] == '\0';
}

/* Copies what stands between prefix and suffix. */
static bool between(const char *url, const char *prefix, const char *suffix,
                    char name[ANSWER_MAX_NAME]) {
  size_t size = strlen(url), head = strlen(prefix), tail = strlen(suffix);
  if (size <= head + tail || size - head - tail >= ANSWER_MAX_NAME ||
      strncmp(url, prefix, head) != 0 || strcmp(url + size - tail, suffix) != 0)
    return false;
  memcpy(name, url + head, size - head - tail);
  name[size - head - tail] = '\0';
  return true;
}

/* Splits "<id>-<n>". */
static bool split_image(char name[ANSWER_MAX_NAME], int *n) {
  char *dash = strrchr(name, '-');
  if (!dash || dash[1] < '1' || dash[1] > '0' + SERVICE_MAX_COUNT ||
      dash[2] != '\0')
    return false;
  *dash = '\0';
  *n = dash[1] - '0';
  return true;
}

static bool route_reference(Question *question, const char *url) {
  if (between(url, "/reference/", ".txt", question->name))
    question->plain = true;
  else if (!between(url, "/reference/", ".png", question->name))
    return false;
  return answer_is_name(question->name);
}

void answer_route(Question *question, const char *url, const char *method) {
  bool get = strcmp(method, "GET") == 0;
  bool read = get || strcmp(method, "HEAD") == 0;
  bool allowed = read;
  question->path = url;
  if (strcmp(url, "/api/generate") == 0) {
    question->on = ON_CREATE;
    allowed = strcmp(method, "POST") == 0;
  } else if (between(url, "/api/generate/", "", question->name)) {
    question->on = ON_POLL;
    allowed = get;
  } else if (between(url, "/generated/", ".png", question->name) &&
             split_image(question->name, &question->n)) {
    question->on = ON_IMAGE;
  } else if (route_reference(question, url)) {
    question->on = ON_REFERENCE;
  } else {
    question->on = ON_OTHER;
    return;
  }
  if (!allowed) {
    question->on = ON_OTHER;
    question->wrong_method = true;
  }
}

/* ---- the jobs ---- */

/* Any time is as good as another: comparing leaks nothing worth having. */
static bool is_authorized(const Server *server, const Question *question) {
  const char *header = question->authorization;
  if (!header || strncasecmp(header, "Bearer ", 7) != 0)
    return false;
  header += 7 + strspn(header + 7, " ");
  return strcmp(header, server->options.api_key) == 0;
}

static Reply job_reply(const Server *server, unsigned http, const Job *job,
                       JobStatus status, const Balance *balance) {
  WireText text = {0};
  if (!wire_job(&text, job, status, balance, server->url)) {
    free(text.text);
    return reply_error(MHD_HTTP_INTERNAL_SERVER_ERROR, "out_of_memory");
  }
  return (Reply){.status = http,
                 .type = "application/json",
                 .text = text.text,
                 .size = text.size};
}

static Reply refuse_create(CreateResult result) {
  switch (result) {
  case CREATE_REUSED:
    return reply_error(422, "idempotency_key_reused");
  case CREATE_CREDITS:
    return reply_error(MHD_HTTP_PAYMENT_REQUIRED, "insufficient_credits");
  default:
    return reply_error(MHD_HTTP_INTERNAL_SERVER_ERROR, "out_of_memory");
  }
}

static Reply create_job(Server *server, const Question *question,
                        const Order *order) {
  Job *job = NULL;
  pthread_mutex_lock(&server->lock);
  double now = server_now(server);
  CreateResult result =
      service_create(&server->service, order, question->key, now, &job);
  if (result == CREATE_OK) {
    Fault *fail = fault_take(&server->faults, ON_JOB, false);
    if (fail)
      service_fail(&server->service, job, fail->error);
    fault_release(fail);
  }
  Balance balance = service_balance(&server->service);
  pthread_mutex_unlock(&server->lock);
  if (result != CREATE_OK && result != CREATE_REPLAYED)
    return refuse_create(result);
  Reply reply =
      job_reply(server, MHD_HTTP_ACCEPTED, job, JOB_PENDING, &balance);
  reply.replayed = result == CREATE_REPLAYED;
  return reply;
}

static bool is_json(struct MHD_Connection *connection) {
  const char *type =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
  static const char JSON[] = "application/json";
  size_t size = sizeof JSON - 1;
  return type && strncasecmp(type, JSON, size) == 0 &&
         (type[size] == '\0' || type[size] == ';' || type[size] == ' ');
}

static Reply answer_create(Server *server, const Question *question) {
  if (!is_authorized(server, question))
    return reply_error(MHD_HTTP_UNAUTHORIZED, "unauthorized");
  if (question->too_long)
    return reply_error(413, "payload_too_large");
  if (!is_json(question->connection)) {
    return reply_error(MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                       "unsupported_media_type");
  }
  if (question->key_name && strlen(question->key_name) > SERVICE_MAX_KEY)
    return reply_error(MHD_HTTP_BAD_REQUEST, "invalid_idempotency_key");
  WireOrder read;
  const char *body = question->body ? question->body : "";
  const char *wrong = wire_read_order(body, question->body_size, &read);
  if (wrong)
    return reply_error(MHD_HTTP_BAD_REQUEST, wrong);
  Reply reply = create_job(server, question, &read.order);
  wire_free_order(&read);
  return reply;
}

static Reply answer_poll(Server *server, const Question *question) {
  if (!is_authorized(server, question))
    return reply_error(MHD_HTTP_UNAUTHORIZED, "unauthorized");
  JobStatus status = JOB_PENDING;
  pthread_mutex_lock(&server->lock);
  service_settle(&server->service, server_now(server));
  Job *job = service_find(&server->service, question->name);
  if (job) {
    job->polls++;
    status = service_status(job, server->service.now);
  }
  Balance balance = service_balance(&server->service);
  pthread_mutex_unlock(&server->lock);
  if (!job)
    return reply_error(MHD_HTTP_NOT_FOUND, "job_not_found");
  bool final = status == JOB_SUCCEEDED || status == JOB_FAILED;
  return job_reply(server, final ? MHD_HTTP_OK : MHD_HTTP_ACCEPTED, job, status,
                   &balance);
}

/* ---- the pictures ---- */

static Reply serve(Server *server, const Question *question, const char *name,
                   const PictureWish *wish) {
  Picture *picture = picture_cache_find(&server->pictures, name);
  if (!picture) {
    picture = picture_draw(wish);
    if (picture)
      picture_cache_add(&server->pictures, name, picture);
  }
  return reply_picture(question->connection, picture);
}

static Reply answer_image(Server *server, const Question *question) {
  pthread_mutex_lock(&server->lock);
  const Job *job = service_find(&server->service, question->name);
  if (job && (question->n > job->count ||
              service_status(job, server_now(server)) != JOB_SUCCEEDED))
    job = NULL;
  pthread_mutex_unlock(&server->lock);
  if (!job)
    return reply_error(MHD_HTTP_NOT_FOUND, "image_not_found");
  PictureWish wish = {.ratio = job->ratio,
                      .side = server->options.image_size,
                      .seed = job->seed + (uint64_t)question->n - 1,
                      .text = job->final_prompt,
                      .bytes = server->options.image_bytes};
  char name[64];
  if (wish.bytes > 0) /* large ones are shared by all jobs of a ratio */
    snprintf(name, sizeof name, "ratio/%d", (int)job->ratio);
  else
    snprintf(name, sizeof name, "%s-%d", job->id, question->n);
  return serve(server, question, name, &wish);
}

static Reply answer_reference(Server *server, const Question *question) {
  if (question->plain) {
    char *text = strdup(REFERENCE_TEXT);
    return (Reply){.status = MHD_HTTP_OK,
                   .type = "text/plain; charset=utf-8",
                   .text = text,
                   .size = sizeof REFERENCE_TEXT - 1};
  }
  PictureWish wish = {.side = REFERENCE_SIDE, .text = question->name};
  for (const char *c = question->name; *c != '\0'; c++)
    wish.seed = wish.seed * 131 + (unsigned char)*c;
  char name[80];
  snprintf(name, sizeof name, "reference/%.64s", question->name);
  return serve(server, question, name, &wish);
}

Reply answer(Server *server, const Question *question) {
  switch (question->on) {
  case ON_CREATE:
    return answer_create(server, question);
  case ON_POLL:
    return answer_poll(server, question);
  case ON_IMAGE:
    return answer_image(server, question);
  case ON_REFERENCE:
    return answer_reference(server, question);
  default:
    break;
  }
  if (question->wrong_method)
    return reply_error(MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed");
  return reply_error(MHD_HTTP_NOT_FOUND, "not_found");
}
