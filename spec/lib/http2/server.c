/*
 * A service over HTTP/2 and TLS that refuses by a script: for specs and proofs.
 *
 *   http2-server <books> [option]...
 *
 * Prints its URL and the file of its certificate authority, and serves until
 * nobody reads its output any more.  Into the file <books> it writes a line for
 * each thing that it did, in order: "connection", "closed" (one of those),
 * "poll", "taken <key>" (a create that made a job, which is paid now),
 * "refused", "goaway", "reset", "http1-wanted".
 *
 *   --limit N      at most N streams at once on a connection
 *   --refuse N     the Nth create (from 1) is refused: REFUSED_STREAM
 *   --goaway N     ... is met by a GOAWAY that names the stream before it
 *   --reset N      ... is taken, and its stream reset: INTERNAL_ERROR
 *   --every K      counts creates from 1 to K again and again
 *   --http1        creates over HTTP/2 are met by HTTP_1_1_REQUIRED
 *   --only-http1   offers no HTTP/2
 *   --delay MS     answers a create after so long
 *   --late MS      tells its settings after so long
 *   --priority P   of GnuTLS: which versions of TLS it speaks
 *
 * One thread for each connection.
 */
#include "sandbox/server/certificate.h"
#include "session.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static Script script;
static int books;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned creates; /* under the lock */

void book(const char *what, const char *key) {
  char line[512];
  int length =
      snprintf(line, sizeof line, "%s%s%s\n", what, *key ? " " : "", key);
  if (write(books, line, (size_t)length) != length)
    abort();
}

unsigned next_create(void) {
  unsigned n;
  pthread_mutex_lock(&lock);
  n = creates++;
  pthread_mutex_unlock(&lock);
  return (script.every ? n % script.every : n) + 1;
}

static void *serve(void *user) {
  int fd = (int)(intptr_t)user;
  book("connection", "");
  session_serve(fd, &script);
  book("closed", "");
  close(fd);
  return NULL;
}

static unsigned number(const char *text) {
  return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static void read_options(char **argument) {
  for (; *argument; argument++) {
    const char *name = *argument;
    if (strcmp(name, "--http1") == 0)
      script.wants_http1 = true;
    else if (strcmp(name, "--only-http1") == 0)
      script.only_http1 = true;
    else if (!argument[1])
      exit(2);
    else if (strcmp(name, "--limit") == 0)
      script.limit = number(*++argument);
    else if (strcmp(name, "--refuse") == 0)
      script.refuse = number(*++argument);
    else if (strcmp(name, "--goaway") == 0)
      script.goaway = number(*++argument);
    else if (strcmp(name, "--reset") == 0)
      script.reset = number(*++argument);
    else if (strcmp(name, "--every") == 0)
      script.every = number(*++argument);
    else if (strcmp(name, "--delay") == 0)
      script.delay = number(*++argument);
    else if (strcmp(name, "--late") == 0)
      script.late = number(*++argument);
    else if (strcmp(name, "--priority") == 0)
      script.priority = *++argument;
    else
      exit(2);
  }
}

static int listen_on_loopback(int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
      listen(fd, 128) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &size) != 0)
    exit(3);
  *port = ntohs(address.sin_port);
  return fd;
}

/* Until the other end of our output is closed. */
static void accept_all(int listener) {
  struct pollfd watched[2] = {{.fd = listener, .events = POLLIN},
                              {.fd = STDOUT_FILENO}};
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  while (poll(watched, 2, -1) > 0 && !watched[1].revents) {
    pthread_t thread;
    int fd = accept(listener, NULL, NULL);
    if (fd >= 0 &&
        pthread_create(&thread, &detached, serve, (void *)(intptr_t)fd) != 0)
      close(fd);
  }
}

int main(int count, char **arguments) {
  Certificate certificate;
  const char *why;
  int port, listener;
  if (count < 2)
    return 2;
  script.priority = "NORMAL";
  read_options(arguments + 2);
  books = open(arguments[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (books < 0 || !certificate_make(&certificate, FLAW_NONE, &why))
    return 3;
  signal(SIGPIPE, SIG_IGN);
  session_set_up(&certificate);
  listener = listen_on_loopback(&port);
  printf("https://127.0.0.1:%d %s\n", port, certificate.ca_file);
  fflush(stdout);
  accept_all(listener);
  certificate_free(&certificate);
  return 0;
}
