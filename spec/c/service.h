/*
 * A service that plays a script: it answers the n-th request with the n-th
 * line of the script, one connection at a time, on loopback, on its own thread.
 *
 * What it was asked can be read after service_stop.
 */
#ifndef GPTIMAGE2_C_SERVICE_H
#define GPTIMAGE2_C_SERVICE_H

#include "check.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVICE_REQUESTS 16
#define HUSHED (-1)

/* What it does once a request has arrived. */
typedef struct Line {
  int status;          /* 0: closes the connection without an answer */
  const char *body;    /* JSON */
  const char *headers; /* further ones, each with CR LF; or NULL */
  int keep;            /* 1: the connection stays open for the next request;
                        * HUSHED: it is closed, which the answer does not say */
} Line;

typedef struct FakeService {
  const Line *script;
  unsigned lines;
  _Atomic unsigned asked; /* requests that arrived */
  char requests[SERVICE_REQUESTS][4096];
  int listener;
  int port;
  char url[64];
  pthread_t thread;
} FakeService;

/* Reads one request, body included.  False when the connection ends first. */
static inline bool service_read(int fd, char *text, size_t size) {
  size_t length = 0;
  while (length < size - 1) {
    ssize_t got = recv(fd, text + length, size - 1 - length, 0);
    const char *end, *field;
    if (got <= 0)
      return false;
    length += (size_t)got;
    text[length] = '\0';
    end = strstr(text, "\r\n\r\n");
    if (!end)
      continue;
    field = strcasestr(text, "\r\nContent-Length:");
    if (!field || field > end ||
        strlen(end + 4) >= strtoul(field + 17, NULL, 10))
      return true;
  }
  return false;
}

static inline void service_answer(int fd, const Line *line) {
  char text[4096];
  int length = snprintf(text, sizeof text,
                        "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n%s%s\r\n%s",
                        line->status, strlen(line->body),
                        line->headers ? line->headers : "",
                        line->keep ? "" : "Connection: close\r\n", line->body);
  send(fd, text, (size_t)length, MSG_NOSIGNAL);
}

/* Serves one connection. */
static inline void service_serve(FakeService *service, int fd) {
  bool more = true;
  while (more && service->asked < SERVICE_REQUESTS &&
         service_read(fd, service->requests[service->asked],
                      sizeof service->requests[0])) {
    const Line *line = service->asked < service->lines
                           ? &service->script[service->asked]
                           : NULL;
    service->asked++;
    if (line && line->status)
      service_answer(fd, line);
    more = line && line->status && line->keep > 0;
  }
  shutdown(fd, SHUT_RDWR);
  close(fd);
}

static inline void *service_run(void *user) {
  FakeService *service = user;
  int fd;
  while ((fd = accept(service->listener, NULL, NULL)) >= 0)
    service_serve(service, fd);
  return NULL;
}

/* A listening socket on loopback; sets `url` and `port`. */
static inline void service_listen(FakeService *service) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  service->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(service->listener, (struct sockaddr *)&address, size),
                   0);
  assert_int_equal(listen(service->listener, 64), 0);
  getsockname(service->listener, (struct sockaddr *)&address, &size);
  service->port = ntohs(address.sin_port);
  snprintf(service->url, sizeof service->url, "http://127.0.0.1:%d",
           service->port);
}

static inline void service_start(FakeService *service, const Line *script,
                                 unsigned lines) {
  memset(service, 0, sizeof *service);
  service->script = script;
  service->lines = lines;
  service_listen(service);
  assert_int_equal(pthread_create(&service->thread, NULL, service_run, service),
                   0);
}

/* Waits until all of the script was asked for, as long as it takes. */
static inline void service_await(const FakeService *service) {
  while (service->asked < service->lines)
    usleep(1000);
}

/* To be called when the client's connections are closed or unused. */
static inline void service_stop(FakeService *service) {
  shutdown(service->listener, SHUT_RDWR);
  pthread_join(service->thread, NULL);
  close(service->listener);
}

#endif
