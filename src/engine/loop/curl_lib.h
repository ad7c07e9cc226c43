/*
 * libcurl, loaded when it is first needed.
 *
 * Linking it would make every require() of this module load some thirty shared
 * objects, whether or not a request is ever made; opening it from the I/O
 * thread keeps that cost away from the host's frames.  It is never closed: a
 * resolver thread of its own may still be inside it.
 */
#ifndef GPTIMAGE2_ENGINE_CURL_LIB_H
#define GPTIMAGE2_ENGINE_CURL_LIB_H

#include <curl/curl.h>

/* The oldest that will do, looked at when this is built (CMake reads these
 * lines) and when it is loaded: CURLOPT_QUICK_EXIT, without which closing may
 * wait for a name server, came with it.  One before 7.80 would silently do
 * without the guard that keeps a create from being sent twice. */
#define CURL_LIB_OLDEST_MAJOR 7
#define CURL_LIB_OLDEST_MINOR 87

/* The functions in use, under their names without "curl_". */
typedef struct CurlLib {
  __typeof__(curl_version_info) *version_info;
  __typeof__(curl_global_init) *global_init;
  __typeof__(curl_easy_init) *easy_init;
  __typeof__(curl_easy_setopt) *easy_setopt;
  __typeof__(curl_easy_getinfo) *easy_getinfo;
  __typeof__(curl_easy_header) *easy_header;
  __typeof__(curl_easy_cleanup) *easy_cleanup;
  __typeof__(curl_easy_strerror) *easy_strerror;
  __typeof__(curl_multi_init) *multi_init;
  __typeof__(curl_multi_setopt) *multi_setopt;
  __typeof__(curl_multi_add_handle) *multi_add_handle;
  __typeof__(curl_multi_remove_handle) *multi_remove_handle;
  __typeof__(curl_multi_socket_action) *multi_socket_action;
  __typeof__(curl_multi_info_read) *multi_info_read;
  __typeof__(curl_multi_assign) *multi_assign;
  __typeof__(curl_multi_cleanup) *multi_cleanup;
  __typeof__(curl_url) *url;
  __typeof__(curl_url_set) *url_set;
  __typeof__(curl_url_get) *url_get;
  __typeof__(curl_url_cleanup) *url_cleanup;
  __typeof__(curl_getdate) *getdate;
  __typeof__(curl_free) *free;
} CurlLib;

/* Valid once curl_lib_load gave NULL. */
extern CurlLib curl_lib;

/* Loads and starts libcurl, once for the process; where it could not even be
 * opened, the next call tries again.  NULL, or what went wrong (static text).
 * Any thread. */
const char *curl_lib_load(void);

/* What exit() calls before the libraries under libcurl clean up after
 * themselves: whoever uses libcurl must be out of it then.  It is registered
 * once more at each point from which on they could.  To be set before the first
 * load, and registered by whoever sets it before there is a thread. */
extern void (*curl_lib_at_exit)(void);

#endif
