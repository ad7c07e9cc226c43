/* Whether this machine lacks something: see http_shortage.h. */
#include "http_shortage.h"

#include "engine/base/platform.h"
#include "engine/base/shortage.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const no_port =
    "this machine has no port left for a connection (EADDRNOTAVAIL)";
static const char *const no_memory = "this machine is out of memory";

/* An address for which there is no way from here, such as one of IPv6 where
 * that is off, looks like a lack of ports.  Datagrams have ports of their own:
 * if none can be sent there either, it is not for lack of one. */
static bool is_reachable(const Exchange *exchange) {
  const struct sockaddr *to = &exchange->peer.any;
  socklen_t length = to->sa_family == AF_INET6 ? sizeof exchange->peer.v6
                                               : sizeof exchange->peer.v4;
  int fd = platform_socket(to->sa_family, SOCK_DGRAM, 0);
  bool reachable = fd < 0 || connect(fd, to, length) == 0; /* sends nothing */
  if (fd >= 0)
    close(fd);
  return reachable;
}

/* There was a socket, and it could not be connected. */
static const char *of_connect(const Exchange *exchange) {
  long error = 0;
  curl_lib.easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &error);
  if (error == EADDRNOTAVAIL)
    return is_reachable(exchange) ? no_port : NULL;
  return shortage_of((int)error);
}

static const char *find(const Exchange *exchange, CURLcode code) {
  const char *lacking = shortage_of(exchange->socket_error);
  bool tried = exchange->peer.any.sa_family != AF_UNSPEC;
  if (code == CURLE_OPERATION_TIMEDOUT || exchange->private_address ||
      exchange->too_large)
    return NULL;
  if (lacking)
    return lacking;
  if (code == CURLE_COULDNT_CONNECT && tried)
    return of_connect(exchange);
  lacking = shortage_probe();
  return !lacking && code == CURLE_OUT_OF_MEMORY ? no_memory : lacking;
}

const char *http_find_shortage(Exchange *exchange, CURLcode code) {
  const char *lacking = find(exchange, code);
  if (lacking)
    failure_set(&exchange->failure, "network",
                code == CURLE_OUT_OF_MEMORY ? "out_of_memory"
                                            : "connect_failed",
                "%s", lacking);
  return lacking;
}
