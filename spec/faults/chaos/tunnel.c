/*
 * A way to a server on this machine that takes its time: it holds up some
 * connections before the handshake and some inside of it, and tears some.
 *
 *   tunnel <port> <seed>
 *
 * Prints the port it listens on (127.0.0.1) and ends with its standard input.
 * A client may use it as the server itself, or as an HTTP proxy: the first
 * bytes of a connection tell, and whatever host a CONNECT names, it leads to
 * <port>.  While "calm" was read last it delays and tears nothing; "storm" lets
 * it begin again.
 *
 * A thread for each connection, at most CONNECTIONS_MAX at once; what a
 * connection suffers comes from the seed and its number.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define DELAY_MAX 400 /* milliseconds */

typedef struct Connection {
  int client;
  uint64_t random;
} Connection;

static uint16_t target;
static atomic_bool calm;
static atomic_int connections;

/* A step of xorshift64: a number below `below`. */
static unsigned draw(Connection *connection, unsigned below) {
  uint64_t x = connection->random;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  connection->random = x;
  return (unsigned)(x >> 33) % below;
}

/* One in three waits, for up to DELAY_MAX; one in twenty is torn (false). */
static bool suffer(Connection *connection) {
  if (atomic_load(&calm))
    return true;
  if (draw(connection, 3) == 0) {
    long wait = (long)draw(connection, DELAY_MAX) * 1000000;
    nanosleep(&(struct timespec){.tv_nsec = wait}, NULL);
  }
  return draw(connection, 20) != 0;
}

static bool send_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes += sent;
    length -= (size_t)sent;
  }
  return true;
}

static int reach(void) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons(target),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  if (fd >= 0)
    close(fd);
  return -1;
}

/* Bytes from one to the other; false at the end of either. */
static bool pass(int from, int to) {
  char bytes[16384];
  ssize_t length = recv(from, bytes, sizeof bytes, 0);
  return length > 0 && send_all(to, bytes, (size_t)length);
}

static void run_between(int client, int server) {
  struct pollfd ends[2] = {{.fd = client, .events = POLLIN},
                           {.fd = server, .events = POLLIN}};
  for (;;) {
    if (poll(ends, 2, -1) < 0)
      return;
    if (ends[0].revents && !pass(client, server))
      return;
    if (ends[1].revents && !pass(server, client))
      return;
  }
}

/* Reads the head of a CONNECT and answers it, late.  False: tear it. */
static bool take_connect(Connection *connection) {
  static const char answer[] = "HTTP/1.1 200 OK\r\n\r\n";
  char head[4096];
  ssize_t length = recv(connection->client, head, sizeof head - 1, 0);
  if (length <= 0)
    return false;
  head[length] = '\0'; /* libcurl sends it in one piece */
  return strstr(head, "\r\n\r\n") && suffer(connection) &&
         send_all(connection->client, answer, sizeof answer - 1);
}

static void *serve(void *argument) {
  Connection *connection = argument;
  char first[8] = "";
  ssize_t seen = recv(connection->client, first, sizeof first, MSG_PEEK);
  bool by_proxy = seen == sizeof first && memcmp(first, "CONNECT ", 8) == 0;
  bool open = seen > 0 && (!by_proxy || take_connect(connection));
  int server = open && suffer(connection) ? reach() : -1;
  if (server >= 0) {
    run_between(connection->client, server);
    close(server);
  }
  close(connection->client);
  free(connection);
  atomic_fetch_sub(&connections, 1);
  return NULL;
}

static int listen_anywhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
      listen(fd, 64) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
    perror("tunnel");
    exit(1);
  }
  printf("%u\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static void take(int listener, uint64_t random) {
  Connection *connection = calloc(1, sizeof *connection);
  pthread_t thread;
  int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (client < 0 || !connection ||
      atomic_load(&connections) >= CONNECTIONS_MAX) {
    if (client >= 0)
      close(client);
    free(connection);
    return;
  }
  connection->client = client;
  connection->random = random;
  atomic_fetch_add(&connections, 1);
  if (pthread_create(&thread, NULL, serve, connection) == 0) {
    pthread_detach(thread);
    return;
  }
  atomic_fetch_sub(&connections, 1);
  close(client);
  free(connection);
}

/* A line of standard input; false at its end. */
static bool obey(void) {
  char line[16];
  if (!fgets(line, sizeof line, stdin))
    return false;
  atomic_store(&calm, strncmp(line, "calm", 4) == 0);
  puts("done");
  fflush(stdout);
  return true;
}

int main(int count, char **arguments) {
  struct pollfd both[2] = {{.events = POLLIN},
                           {.fd = STDIN_FILENO, .events = POLLIN}};
  uint64_t seed;
  if (count != 3) {
    fputs("tunnel <port> <seed>\n", stderr);
    return 2;
  }
  target = (uint16_t)atoi(arguments[1]);
  seed = strtoull(arguments[2], NULL, 10) * 2654435761u + 88172645463325252u;
  both[0].fd = listen_anywhere();
  for (uint64_t number = 1;; number++) {
    if (poll(both, 2, -1) < 0)
      return 1;
    if (both[1].revents && !obey())
      return 0;
    if (both[0].revents)
      take(both[0].fd, seed + number * 0x9e3779b97f4a7c15u);
  }
}
