/*
 * A name server that hangs, by LD_PRELOAD: looking up a name under
 * "slow.invalid" takes until somebody opens the FIFO named by SLOW_DNS_FIFO
 * for writing, and then fails.  Every other look-up is the C library's.
 * Runs on whatever thread looks up.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int LookUp(const char *restrict, const char *restrict,
                   const struct addrinfo *restrict, struct addrinfo **restrict);

static LookUp *real;

__attribute__((constructor)) static void find_real(void) {
  void *found = dlsym(RTLD_NEXT, "getaddrinfo");
  memcpy(&real, &found, sizeof real);
}

__attribute__((visibility("default"))) int
getaddrinfo(const char *restrict name, const char *restrict service,
            const struct addrinfo *restrict hints,
            struct addrinfo **restrict list) {
  const char *fifo = getenv("SLOW_DNS_FIFO");
  if (!fifo || !name || !strstr(name, "slow.invalid"))
    return real(name, service, hints, list);
  close(open(fifo, O_RDONLY | O_CLOEXEC)); /* waits for a writer */
  return EAI_AGAIN;
}
