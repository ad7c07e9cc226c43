/*
 * The certificates of the system's authorities, as TLS libraries find them: in
 * one bundle, or in a folder with a link for each, named by its hash.
 *
 * A bundle is parsed whole, some 35 ms for one of 140 certificates, and by
 * libcurl again for each connection where there is a folder too; nothing can
 * interrupt that, so closing would wait for it.  Of a folder OpenSSL reads only
 * the links that a server's certificate leads to.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_CA_STORE_H
#define GPTIMAGE2_ENGINE_CA_STORE_H

#include <stdbool.h>

/* Whether `folder` holds all that is in `bundle`: there are links, and what
 * they lead to is, all together, exactly as many bytes.  That is so where both
 * were made from the same certificates, and no longer when a certificate was
 * put into, or taken out of, one of them alone.  (A swap for one of the same
 * length goes unseen: the folder counts then.)  Either may be NULL. */
bool ca_store_same(const char *folder, const char *bundle);

/* What libcurl is to read of what it knows of. */
typedef enum CaStore {
  CA_STORE_BOTH,
  CA_STORE_FOLDER, /* that alone will do, and costs least */
  CA_STORE_BUNDLE
} CaStore;

/* That, for a TLS library of this name and version.  Each may be NULL. */
CaStore ca_store_choose(const char *tls, const char *folder,
                        const char *bundle);

/* That, for libcurl as it is on this machine.  Looked up at the first call, for
 * the process; after curl_lib_load. */
CaStore ca_store_needed(void);

#endif
