/* libcurl, loaded when it is first needed: see curl_lib.h. */
#include "curl_lib.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef GPTIMAGE2_LIBCURL
#define GPTIMAGE2_LIBCURL "libcurl.so.4"
#endif

#define OLDEST ((CURL_LIB_OLDEST_MAJOR << 16) | (CURL_LIB_OLDEST_MINOR << 8))
#define TEXT_OF(number) #number
#define VERSION_TEXT(major, minor) TEXT_OF(major) "." TEXT_OF(minor) ".0"
#define OLDEST_TEXT VERSION_TEXT(CURL_LIB_OLDEST_MAJOR, CURL_LIB_OLDEST_MINOR)

CurlLib curl_lib;
void (*curl_lib_at_exit)(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool loaded; /* under the lock */
static const char *trouble;

typedef struct Symbol {
  const char *name;
  size_t offset; /* in CurlLib */
} Symbol;

#define SYMBOL(name)                                                           \
  { "curl_" #name, offsetof(CurlLib, name) }

static const Symbol symbols[] = {
    SYMBOL(version_info),
    SYMBOL(global_init),
    SYMBOL(easy_init),
    SYMBOL(easy_setopt),
    SYMBOL(easy_getinfo),
    SYMBOL(easy_header),
    SYMBOL(easy_cleanup),
    SYMBOL(easy_strerror),
    SYMBOL(multi_init),
    SYMBOL(multi_setopt),
    SYMBOL(multi_add_handle),
    SYMBOL(multi_remove_handle),
    SYMBOL(multi_socket_action),
    SYMBOL(multi_info_read),
    SYMBOL(multi_assign),
    SYMBOL(multi_cleanup),
    SYMBOL(url),
    SYMBOL(url_set),
    SYMBOL(url_get),
    SYMBOL(url_cleanup),
    SYMBOL(getdate),
    SYMBOL(free),
};

/* OpenSSL registers a cleanup with exit() when it is first used.  exit() calls
 * what was registered last first, on its own thread: from that moment until we
 * had registered anew, it would take OpenSSL away under curl_global_init.  So
 * OpenSSL is told, where nobody has used it yet, to leave its memory to the end
 * of the process; where somebody has, its cleanup is in the list already.  The
 * option is that of OpenSSL 1.1.1b and later (OPENSSL_INIT_NO_ATEXIT); the
 * function is looked for in the very library that libcurl uses, if any. */
static void keep_openssl(void *library) {
  int (*init)(uint64_t options, const void *settings);
  void *function = dlsym(library, "OPENSSL_init_crypto");
  if (!function)
    return;
  memcpy(&init, &function, sizeof init);
  init(0x00080000, NULL);
}

/* Last registered, so first called. */
static void register_at_exit(void) {
  if (curl_lib_at_exit)
    atexit(curl_lib_at_exit);
}

static void start(void *library) {
  keep_openssl(library);
  register_at_exit();
  if (curl_lib.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    trouble = "libcurl could not start";
  register_at_exit();
}

static void *open_library(void) {
  void *library = NULL;
#ifdef GPTIMAGE2_LIBCURL_FOLDER
  library = dlopen(GPTIMAGE2_LIBCURL_FOLDER "/" GPTIMAGE2_LIBCURL,
                   RTLD_NOW | RTLD_LOCAL);
#endif
  return library ? library : dlopen(GPTIMAGE2_LIBCURL, RTLD_NOW | RTLD_LOCAL);
}

/* A library that could not be opened may be there the next time: there may
 * have been no descriptor or no memory. */
static void load(void) {
  void *library = open_library();
  if (!library) {
    trouble = "libcurl (" GPTIMAGE2_LIBCURL ") is not installed, or could not "
              "be read";
    return;
  }
  loaded = true;
  trouble = NULL;
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    void *function = dlsym(library, symbols[i].name);
    if (!function) {
      trouble = "this libcurl (" GPTIMAGE2_LIBCURL ") is too old";
      return;
    }
    /* POSIX allows an object pointer to hold a function's address. */
    memcpy((char *)&curl_lib + symbols[i].offset, &function, sizeof function);
  }
  if (curl_lib.version_info(CURLVERSION_NOW)->version_num < OLDEST)
    trouble = "this libcurl (" GPTIMAGE2_LIBCURL ") is too old: " OLDEST_TEXT
              " or newer is needed";
  else if (curl_lib.easy_header(NULL, NULL, 0, 0, 0, NULL) ==
           CURLHE_NOT_BUILT_IN)
    trouble = "this libcurl (" GPTIMAGE2_LIBCURL ") was built without its "
              "functions for headers";
  else
    start(library);
}

const char *curl_lib_load(void) {
  const char *result;
  pthread_mutex_lock(&lock);
  if (!loaded)
    load();
  result = trouble;
  pthread_mutex_unlock(&lock);
  return result;
}
