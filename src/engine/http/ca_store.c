/* The certificates of the system's authorities: see ca_store.h. */
#include "ca_store.h"

#include "engine/loop/curl_lib.h"

#include <dirent.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#define HASH_DIGITS 8

static CaStore found; /* written once */

/* A name that OpenSSL looks for: the hash of a subject, a dot, a number. */
static bool is_link(const char *name) {
  const char *number = name + HASH_DIGITS + 1;
  return strspn(name, "0123456789abcdef") == HASH_DIGITS &&
         name[HASH_DIGITS] == '.' && *number &&
         number[strspn(number, "0123456789")] == '\0';
}

/* The bytes that the links lead to; -1 when one leads nowhere. */
static off_t count_linked(DIR *folder) {
  off_t bytes = 0;
  struct dirent *entry;
  /* Nobody else reads this folder by this handle. */
  /* cppcheck-suppress readdirCalled */
  while ((entry = readdir(folder))) {
    struct stat linked;
    if (!is_link(entry->d_name))
      continue;
    if (fstatat(dirfd(folder), entry->d_name, &linked, 0) != 0)
      return -1;
    bytes += linked.st_size;
  }
  return bytes;
}

bool ca_store_same(const char *folder, const char *bundle) {
  struct stat whole;
  off_t linked;
  DIR *entries;
  if (!folder || !bundle || stat(bundle, &whole) != 0 || whole.st_size == 0)
    return false;
  entries = opendir(folder);
  if (!entries)
    return false;
  linked = count_linked(entries);
  closedir(entries);
  return linked == whole.st_size;
}

/* Other TLS libraries have their own ways with folders: GnuTLS reads all of
 * what is in them. */
CaStore ca_store_choose(const char *tls, const char *folder,
                        const char *bundle) {
  if (!tls || !ca_store_same(folder, bundle))
    return CA_STORE_BOTH;
  return strncmp(tls, "OpenSSL/", 8) == 0 ? CA_STORE_FOLDER : CA_STORE_BUNDLE;
}

static void look_up(void) {
  const curl_version_info_data *info = curl_lib.version_info(CURLVERSION_NOW);
  found = ca_store_choose(info->ssl_version, info->capath, info->cainfo);
}

CaStore ca_store_needed(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, look_up);
  return found;
}
