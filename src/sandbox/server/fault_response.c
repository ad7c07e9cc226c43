/*
 * How a fault changes what an answer says: its status, its type, its content.
 * Runs on the server's thread.
 */
#include "fault_response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/faults/gzip_bomb.h"
#include "sandbox/reply/fault_json.h"

static const uint64_t GZIP_BOMB_DEFAULT = (uint64_t)64 << 20;
static const char HTML_TYPE[] = "text/html; charset=utf-8";
static const char HTML_PAGE[] =
    "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n"
    "<body><center><h1>502 Bad Gateway</h1></center></body></html>\n";

/* ---- another answer ---- */

static const char *status_code(unsigned status) {
  static const struct {
    unsigned status;
    const char *code;
  } CODES[] = {{400, "bad_request"},
               {401, "unauthorized"},
               {402, "insufficient_credits"},
               {403, "forbidden"},
               {404, "not_found"},
               {408, "request_timeout"},
               {409, "conflict"},
               {410, "gone"},
               {425, "too_early"},
               {429, "rate_limited"},
               {500, "internal_error"},
               {502, "bad_gateway"},
               {503, "service_unavailable"},
               {504, "gateway_timeout"}};
  for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
    if (CODES[i].status == status)
      return CODES[i].code;
  return "sandbox_fault";
}

static bool set_status(const Fault *fault, Reply *reply) {
  bool silent = fault->status == 204 || fault->status == 304;
  reply_replace(reply, reply_error(fault->status, status_code(fault->status)));
  if (fault->body)
    return reply_copy_text(reply, fault->body, fault->body_size);
  return !silent || reply_copy_text(reply, "", 0);
}

static bool set_page(const Fault *fault, Reply *reply) {
  reply_replace(reply, (Reply){.status = fault->status, .type = HTML_TYPE});
  return fault->body ? reply_copy_text(reply, fault->body, fault->body_size)
                     : reply_copy_text(reply, HTML_PAGE, sizeof HTML_PAGE - 1);
}

static void set_missing(const Question *question, Reply *reply) {
  const char *code = "not_found";
  if (question->on == ON_POLL)
    code = "job_not_found";
  else if (question->on == ON_IMAGE)
    code = "image_not_found";
  reply_replace(reply, reply_error(MHD_HTTP_NOT_FOUND, code));
}

/* ---- redirects ---- */

static char *make_text(const char *scheme, const char *host, const char *path,
                       unsigned hop) {
  char query[32] = "";
  if (hop > 0)
    snprintf(query, sizeof query, "?hop=%u", hop);
  size_t size = strlen(scheme) + strlen(host) + strlen(path) + sizeof query + 4;
  char *text = malloc(size);
  if (text)
    snprintf(text, size, "%s://%s%s%s", scheme, host, path, query);
  return text;
}

static unsigned next_hop(const Question *question) {
  const char *hop = MHD_lookup_connection_value(question->connection,
                                                MHD_GET_ARGUMENT_KIND, "hop");
  return hop ? (unsigned)strtoul(hop, NULL, 10) % 1000000 + 1 : 1;
}

static char *make_location(const Server *server, const Question *question,
                           const Fault *fault) {
  if (fault->location)
    return strdup(fault->location);
  char name[64];
  const char *scheme = server->options.tls ? "https" : "http";
  const char *host = strstr(server->url, "://") + 3;
  unsigned hop = 0;
  switch (fault->to) {
  case TO_CHAIN:
    hop = next_hop(question);
    break;
  case TO_HOST:
    snprintf(name, sizeof name, "localhost%.16s", strrchr(host, ':'));
    host = name;
    break;
  case TO_HTTP:
    scheme = "http";
    break;
  case TO_HTTPS:
    scheme = "https";
    break;
  case TO_SELF:
    break;
  }
  return make_text(scheme, host, question->path, hop);
}

static bool set_redirect(const Server *server, const Question *question,
                         const Fault *fault, Reply *reply) {
  reply_replace(reply, reply_error(fault->status, "redirected"));
  reply->location = make_location(server, question, fault);
  return reply->location;
}

/* ---- other content ---- */

static bool set_bomb(const Fault *fault, Reply *reply) {
  size_t size = 0;
  bool given = fault->bytes != FAULT_NO_BYTES;
  char *text = gzip_bomb_make(given ? fault->bytes : GZIP_BOMB_DEFAULT, &size);
  reply->encoding = "gzip";
  return reply_set_text(reply, text, size);
}

static bool set_not_image(Reply *reply) {
  static const char LINE[] = "This is not an image. ";
  size_t size = reply->size;
  char *text = malloc(size + 1);
  for (size_t i = 0; text && i < size; i++)
    text[i] = LINE[i % (sizeof LINE - 1)];
  return reply_set_text(reply, text, size);
}

bool fault_response(const Server *server, const Question *question,
                    const Fault *fault, Reply *reply) {
  switch (fault->action) {
  case FAULT_STATUS:
    return set_status(fault, reply);
  case FAULT_HTML:
    return set_page(fault, reply);
  case FAULT_MISSING:
    set_missing(question, reply);
    return true;
  case FAULT_CONFLICT:
    reply_replace(reply, reply_error(fault->status, fault->error));
    return true;
  case FAULT_REDIRECT:
    return set_redirect(server, question, fault, reply);
  case FAULT_BODY:
    return reply_copy_text(reply, fault->body, fault->body_size);
  case FAULT_MALFORMED:
    return reply_copy_text(reply, "{\"status\": \"pending\", \"jobId\": \"8b9",
                           35);
  case FAULT_TYPE:
    reply->type = fault->line;
    return true;
  case FAULT_GZIP:
    return set_bomb(fault, reply);
  case FAULT_SHORT:
    reply->size = reply->size < fault->bytes ? reply->size : fault->bytes;
    return true;
  case FAULT_NOT_IMAGE:
    return set_not_image(reply);
  default:
    return fault_json(fault, reply);
  }
}
