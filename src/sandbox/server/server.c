/*
 * One running sandbox: its beginning and end, and the calls of its owner.
 * Owns everything; runs on the thread of the Lua state.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/descriptors.h"
#include "engine/base/platform.h"
#include "exchange.h"

enum { SERVER_BACKLOG = 1024 };

static void say(char error[SERVER_MAX_ERROR], const char *what,
                const char *why) {
  snprintf(error, SERVER_MAX_ERROR, "%s: %s", what, why);
}

/* A listening socket on loopback, made here for a plain error; *port is the
 * one asked for, and then the one got. -1: errno says why. */
static int listen_on(unsigned *port) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)*port);
  int fd = platform_socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0)
    return -1;
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!platform_never_block(fd) ||
      bind(fd, (struct sockaddr *)&address, size) != 0 ||
      listen(fd, SERVER_BACKLOG) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
    int why = errno;
    close(fd);
    errno = why;
    return -1;
  }
  *port = ntohs(address.sin_port);
  return fd;
}

static struct MHD_Daemon *start_daemon(Server *server, int fd) {
  unsigned flags = MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
  struct MHD_OptionItem tls[] = {
      {MHD_OPTION_HTTPS_MEM_KEY, 0, server->certificate.key},
      {MHD_OPTION_HTTPS_MEM_CERT, 0, server->certificate.chain},
      {MHD_OPTION_END, 0, NULL}};
  struct MHD_OptionItem *more = server->options.tls ? tls : &tls[2];
  flags |= server->options.tls ? (unsigned)MHD_USE_TLS : 0u;
  return MHD_start_daemon(
      flags, 0, NULL, NULL, exchange_handle, server, MHD_OPTION_LISTEN_SOCKET,
      fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_MAX_CONNECTIONS,
      MHD_OPTION_NOTIFY_COMPLETED, exchange_completed, server,
      MHD_OPTION_NOTIFY_CONNECTION, exchange_connection, server,
      MHD_OPTION_ARRAY, more, MHD_OPTION_END);
}

static bool start_helpers(Server *server) {
  if (!delays_start(&server->delays))
    return false;
  if (!raw_writers_start(&server->raw_writers)) {
    delays_stop(&server->delays);
    delays_free(&server->delays);
    return false;
  }
  return true;
}

/* Both hold connections, and MHD must not stop with any of them suspended. */
static void stop_helpers(Server *server) {
  delays_stop(&server->delays);
  raw_writers_stop(&server->raw_writers);
}

static void free_helpers(Server *server) {
  delays_free(&server->delays);
  raw_writers_free(&server->raw_writers);
}

/* Starts all threads with every signal blocked: signals are the host's. */
static bool start_threads(Server *server, int fd,
                          char error[SERVER_MAX_ERROR]) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool helped = start_helpers(server);
  server->daemon = helped ? start_daemon(server, fd) : NULL;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  server->running = server->daemon;
  if (helped && !server->running) {
    stop_helpers(server);
    free_helpers(server);
  }
  if (!helped)
    close(fd); /* else it is MHD's, in failure too */
  if (!server->running)
    say(error, "the server does not start", "no thread, or no memory");
  return server->running;
}

static bool prepare(Server *server, char error[SERVER_MAX_ERROR]) {
  const char *why = NULL;
  if (!journal_init(&server->journal)) {
    say(error, "the sandbox does not start", "no memory");
    return false;
  }
  if (server->options.tls &&
      !certificate_make(&server->certificate, server->options.flaw, &why)) {
    say(error, "no certificate", why);
    return false;
  }
  return true;
}

static bool open_server(Server *server, char error[SERVER_MAX_ERROR]) {
  if (!prepare(server, error))
    return false;
  unsigned port = server->options.port;
  int fd = listen_on(&port);
  if (fd < 0) {
    char what[64];
    snprintf(what, sizeof what, "cannot listen on 127.0.0.1:%u", port);
    say(error, what, strerror(errno));
    return false;
  }
  snprintf(server->url, sizeof server->url, "%s://127.0.0.1:%u",
           server->options.tls ? "https" : "http", port);
  return start_threads(server, fd, error);
}

static uint64_t random_seed(void) {
  uint64_t seed = 0;
  if (!platform_random(&seed, sizeof seed))
    seed = (uint64_t)(delays_clock() * 1e9) ^ (uint64_t)getpid() << 32;
  return seed;
}

/* ---- the end of the process ---- */

static pthread_mutex_t running_lock = PTHREAD_MUTEX_INITIALIZER;
static Server *running;

static void stop(Server *server) {
  server->running = false;
  stop_helpers(server);
  MHD_stop_daemon(server->daemon);
  free_helpers(server);
  server->daemon = NULL;
  picture_cache_free(&server->pictures);
  certificate_free(&server->certificate);
}

/* A process may end without stopping its sandboxes: the libraries under them
 * must not be in use when they clean up after themselves. Called by exit().
 * Where somebody holds the lock, somebody stops one. */
static void stop_all(void) {
  int tries = 1000;
  while (pthread_mutex_trylock(&running_lock) != 0) {
    if (--tries == 0)
      return;
    poll(NULL, 0, 1);
  }
  for (Server *server = running; server; server = server->next)
    if (server->pid == getpid())
      stop(server);
  running = NULL;
  pthread_mutex_unlock(&running_lock);
}

/* Nobody holds the lock in a forked child, whoever did in the parent. */
static void begin_child(void) {
  pthread_mutex_init(&running_lock, NULL);
  running = NULL;
}

static void watch_process(void) {
  pthread_atfork(NULL, NULL, begin_child);
  atexit(stop_all);
}

static void enlist(Server *server) {
  pthread_mutex_lock(&running_lock);
  server->next = running;
  running = server;
  pthread_mutex_unlock(&running_lock);
}

/* Does nothing to a server that exit() has stopped. */
static void delist_and_stop(Server *server) {
  pthread_mutex_lock(&running_lock);
  Server **at = &running;
  while (*at && *at != server)
    at = &(*at)->next;
  if (*at) {
    *at = server->next;
    stop(server);
  }
  pthread_mutex_unlock(&running_lock);
}

/* ---- the owner's calls ---- */

Server *server_start(const ServerOptions *options,
                     char error[SERVER_MAX_ERROR]) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  Server *server = calloc(1, sizeof *server);
  if (!server) {
    say(error, "the sandbox does not start", "no memory");
    return NULL;
  }
  pthread_once(&once, watch_process); /* before there is a thread */
  descriptors_spare_standard();
  pthread_mutex_init(&server->lock, NULL);
  server->options = *options;
  server->options.service.seed = random_seed();
  server->pid = getpid();
  server->started = delays_clock();
  service_init(&server->service, &server->options.service);
  if (!open_server(server, error)) {
    server_free(server);
    return NULL;
  }
  enlist(server);
  return server;
}

void server_stop(Server *server) {
  if (server->pid != getpid())
    return;
  delist_and_stop(server);
}

void server_free(Server *server) {
  if (server->pid != getpid())
    return; /* the parent's threads were using it when the fork came */
  server_stop(server);
  certificate_free(&server->certificate);
  fault_clear(&server->faults);
  journal_free(&server->journal);
  service_free(&server->service);
  pthread_mutex_destroy(&server->lock);
  free(server);
}

bool server_fault(Server *server, const Fault *rule) {
  pthread_mutex_lock(&server->lock);
  bool ok = fault_add(&server->faults, rule);
  pthread_mutex_unlock(&server->lock);
  return ok;
}

void server_clear(Server *server) {
  pthread_mutex_lock(&server->lock);
  fault_clear(&server->faults);
  pthread_mutex_unlock(&server->lock);
}

void server_advance(Server *server, double seconds) {
  pthread_mutex_lock(&server->lock);
  server->ahead += seconds;
  pthread_mutex_unlock(&server->lock);
}

Totals server_totals(Server *server) {
  pthread_mutex_lock(&server->lock);
  service_settle(&server->service, server_now(server));
  Totals totals = {.credits = server->service.credits,
                   .charged = server->service.charged,
                   .refunded = server->service.refunded,
                   .connections = server->connections,
                   .open = server->open,
                   .most = server->most,
                   .jobs = server->service.jobs,
                   .entries = journal_size(&server->journal)};
  memcpy(totals.requests, server->requests, sizeof totals.requests);
  pthread_mutex_unlock(&server->lock);
  return totals;
}

size_t server_jobs(Server *server, JobView *views, size_t most) {
  size_t count = 0;
  pthread_mutex_lock(&server->lock);
  double now = server->service.now;
  const Job *job = server->service.first;
  for (; job && count < most; job = job->next) {
    views[count++] = (JobView){.job = job,
                               .status = service_status(job, now),
                               .posts = job->key ? job->key->posts : job->posts,
                               .polls = job->polls,
                               .refunded = job->refunded};
  }
  pthread_mutex_unlock(&server->lock);
  return count;
}

size_t server_entries(Server *server, JournalEntry *entries, size_t most) {
  pthread_mutex_lock(&server->lock);
  size_t size = journal_size(&server->journal);
  size_t count = size < most ? size : most;
  for (size_t i = 0; i < count; i++)
    entries[i] = *journal_at(&server->journal, i);
  pthread_mutex_unlock(&server->lock);
  return count;
}
