/*
 * OpenSSL whose start takes long, by LD_PRELOAD: writes "in" when libcurl
 * starts it, and "out" SLOW_START seconds later; and "registered" where
 * libcrypto asks exit() to call it.  Runs on whatever thread does so.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef int Start(uint64_t options, const void *settings);
typedef int Register(void (*function)(void *), void *argument, void *dso);

int OPENSSL_init_ssl(uint64_t options, const void *settings);
/* The name that atexit() has for the linker. */
int __cxa_atexit(void (*function)(void *), void *argument, void *dso);

static void say(const char *word) {
  (void)!write(2, word, strlen(word));
}

static int start(uint64_t options, const void *settings) {
  void *library = dlopen("libssl.so.3", RTLD_LAZY | RTLD_NOLOAD);
  Start *real = NULL;
  void *found = library ? dlsym(library, "OPENSSL_init_ssl") : NULL;
  memcpy(&real, &found, sizeof real);
  return real ? real(options, settings) : 0;
}

__attribute__((visibility("default"))) int
OPENSSL_init_ssl(uint64_t options, const void *settings) {
  const char *seconds = getenv("SLOW_START");
  double left = seconds ? strtod(seconds, NULL) : 0;
  int result = start(options, settings);
  struct timespec pause = {.tv_sec = (time_t)left};
  pause.tv_nsec = (long)((left - (double)pause.tv_sec) * 1e9);
  say("in ");
  nanosleep(&pause, NULL);
  say("out ");
  return result;
}

__attribute__((visibility("default"))) int
__cxa_atexit(void (*function)(void *), void *argument, void *dso) {
  Register *real = NULL;
  Dl_info info = {0};
  void *found = dlsym(RTLD_NEXT, "__cxa_atexit"), *address = NULL;
  memcpy(&real, &found, sizeof real);
  memcpy(&address, &function, sizeof address);
  if (dladdr(address, &info) && info.dli_fname &&
      strstr(info.dli_fname, "libcrypto"))
    say("registered ");
  return real ? real(function, argument, dso) : -1;
}
