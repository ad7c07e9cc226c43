/*
 * Takes LD_PRELOAD out of the environment once the process is up: a
 * sanitizer's runtime is meant for this process and not for its children.
 * Runs on the main thread, before main.
 */
#include <stdlib.h>

__attribute__((constructor)) static void unpreload(void) {
  unsetenv("LD_PRELOAD");
}
