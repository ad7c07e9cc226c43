/*
 * A certificate authority made on the spot, and a certificate of it for the
 * loopback names. Owns the folder of the authority's file until
 * certificate_free; runs on the thread that starts the sandbox.
 */
#include "certificate.h"

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/platform.h"

enum { PEM_MAX = 8192 };
static const time_t LIFETIME = 30 * 24 * 3600;
static const time_t CLOCK_SKEW = 24 * 3600;

typedef struct Pair {
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t crt;
} Pair;

static void free_pair(Pair *pair) {
  if (pair->crt)
    gnutls_x509_crt_deinit(pair->crt);
  if (pair->key)
    gnutls_x509_privkey_deinit(pair->key);
}

/* What both certificates have in common. The first failure is returned. */
static int init_pair(Pair *pair, const char *name, unsigned char serial,
                     time_t end) {
  time_t now = time(NULL);
  int rc = gnutls_x509_privkey_init(&pair->key);
  rc = rc < 0 ? rc : gnutls_x509_crt_init(&pair->crt);
  if (rc < 0)
    return rc;
  rc = gnutls_x509_privkey_generate(
      pair->key, GNUTLS_PK_ECDSA,
      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
  gnutls_x509_crt_t crt = pair->crt;
  rc = rc < 0 ? rc : gnutls_x509_crt_set_version(crt, 3);
  rc = rc < 0 ? rc : gnutls_x509_crt_set_serial(crt, &serial, 1);
  rc = rc < 0 ? rc : gnutls_x509_crt_set_key(crt, pair->key);
  rc = rc < 0 ? rc
              : gnutls_x509_crt_set_activation_time(crt, now - 2 * CLOCK_SKEW);
  rc = rc < 0 ? rc : gnutls_x509_crt_set_expiration_time(crt, end);
  unsigned size = (unsigned)strlen(name);
  return rc < 0 ? rc
                : gnutls_x509_crt_set_dn_by_oid(
                      crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, size);
}

/* Key identifiers: strict verifiers (OpenSSL's, for one) ask for them. */
static int set_identifiers(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer) {
  unsigned char id[64];
  size_t size = sizeof id;
  int rc = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, id, &size);
  rc = rc < 0 ? rc : gnutls_x509_crt_set_subject_key_id(crt, id, size);
  size = sizeof id;
  rc = rc < 0 ? rc
              : gnutls_x509_crt_get_key_id(issuer, GNUTLS_KEYID_USE_SHA256, id,
                                           &size);
  return rc < 0 ? rc : gnutls_x509_crt_set_authority_key_id(crt, id, size);
}

static int make_authority(Pair *ca) {
  unsigned usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN;
  int rc = init_pair(ca, "gptimage2 sandbox CA", 1, time(NULL) + LIFETIME);
  rc = rc < 0 ? rc : gnutls_x509_crt_set_basic_constraints(ca->crt, 1, -1);
  rc = rc < 0 ? rc : gnutls_x509_crt_set_key_usage(ca->crt, usage);
  rc = rc < 0 ? rc : set_identifiers(ca->crt, ca->crt);
  return rc < 0 ? rc
                : gnutls_x509_crt_sign2(ca->crt, ca->crt, ca->key,
                                        GNUTLS_DIG_SHA256, 0);
}

static int add_names(gnutls_x509_crt_t crt) {
  static const char NAME[] = "localhost";
  static const unsigned char V4[4] = {127, 0, 0, 1};
  static const unsigned char V6[16] = {[15] = 1};
  int rc = gnutls_x509_crt_set_subject_alt_name(
      crt, GNUTLS_SAN_DNSNAME, NAME, sizeof NAME - 1, GNUTLS_FSAN_SET);
  rc = rc < 0 ? rc
              : gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS,
                                                     V4, sizeof V4,
                                                     GNUTLS_FSAN_APPEND);
  return rc < 0
             ? rc
             : gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS,
                                                    V6, sizeof V6,
                                                    GNUTLS_FSAN_APPEND);
}

static int add_wrong_name(gnutls_x509_crt_t crt) {
  static const char NAME[] = "elsewhere.invalid";
  return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, NAME,
                                              sizeof NAME - 1, GNUTLS_FSAN_SET);
}

static int make_leaf(Pair *leaf, const Pair *ca, CertificateFlaw flaw) {
  bool wrong = flaw == FLAW_WRONG_HOST;
  time_t now = time(NULL);
  time_t end = flaw == FLAW_EXPIRED ? now - CLOCK_SKEW : now + LIFETIME;
  int rc = init_pair(leaf, wrong ? "elsewhere.invalid" : "localhost", 2, end);
  const Pair *issuer = flaw == FLAW_SELF_SIGNED ? leaf : ca;
  gnutls_x509_crt_t crt = leaf->crt;
  rc = rc < 0 ? rc : gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
  rc = rc < 0
           ? rc
           : gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
  rc = rc < 0 ? rc
              : gnutls_x509_crt_set_key_purpose_oid(
                    crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
  rc = rc < 0 ? rc : wrong ? add_wrong_name(crt) : add_names(crt);
  rc = rc < 0 ? rc : set_identifiers(crt, issuer->crt);
  return rc < 0 ? rc
                : gnutls_x509_crt_sign2(crt, issuer->crt, issuer->key,
                                        GNUTLS_DIG_SHA256, 0);
}

static int export_texts(const Pair *leaf, const Pair *ca, char *ca_pem,
                        Certificate *certificate) {
  size_t key_size = PEM_MAX, chain_size = PEM_MAX, ca_size = PEM_MAX - 1;
  certificate->key = calloc(1, PEM_MAX + 1);
  certificate->chain = calloc(1, PEM_MAX + 1);
  if (!certificate->key || !certificate->chain)
    return GNUTLS_E_MEMORY_ERROR;
  int rc = gnutls_x509_privkey_export_pkcs8(leaf->key, GNUTLS_X509_FMT_PEM,
                                            NULL, GNUTLS_PKCS_PLAIN,
                                            certificate->key, &key_size);
  rc = rc < 0 ? rc
              : gnutls_x509_crt_export(leaf->crt, GNUTLS_X509_FMT_PEM,
                                       certificate->chain, &chain_size);
  return rc < 0 ? rc
                : gnutls_x509_crt_export(ca->crt, GNUTLS_X509_FMT_PEM, ca_pem,
                                         &ca_size);
}

static bool write_authority(Certificate *certificate, const char *pem) {
  const char *root = platform_is_privileged() ? NULL : getenv("TMPDIR");
  root = root && root[0] == '/' ? root : "/tmp";
  int size = snprintf(certificate->folder, sizeof certificate->folder,
                      "%s/gptimage2-sandbox-XXXXXX", root);
  if (size < 0 || (size_t)size >= sizeof certificate->folder ||
      !mkdtemp(certificate->folder)) {
    certificate->folder[0] = '\0';
    return false;
  }
  snprintf(certificate->ca_file, sizeof certificate->ca_file, "%s/ca.pem",
           certificate->folder);
  int fd = open(certificate->ca_file,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  size_t length = strlen(pem);
  bool ok = fd >= 0 && write(fd, pem, length) == (ssize_t)length;
  return fd >= 0 && close(fd) == 0 && ok;
}

bool certificate_make(Certificate *certificate, CertificateFlaw flaw,
                      const char **why) {
  char *ca_pem = calloc(1, PEM_MAX);
  Pair ca = {0}, leaf = {0};
  *certificate = (Certificate){0};
  int rc = ca_pem ? make_authority(&ca) : GNUTLS_E_MEMORY_ERROR;
  rc = rc < 0 ? rc : make_leaf(&leaf, &ca, flaw);
  rc = rc < 0 ? rc : export_texts(&leaf, &ca, ca_pem, certificate);
  bool ok = rc >= 0;
  *why = ok ? NULL : gnutls_strerror(rc);
  if (ok && !write_authority(certificate, ca_pem)) {
    ok = false;
    *why = "cannot write the authority's file below TMPDIR or /tmp";
  }
  free_pair(&leaf);
  free_pair(&ca);
  free(ca_pem);
  if (!ok)
    certificate_free(certificate);
  return ok;
}

void certificate_free(Certificate *certificate) {
  if (certificate->ca_file[0] != '\0')
    unlink(certificate->ca_file);
  if (certificate->folder[0] != '\0')
    rmdir(certificate->folder);
  if (certificate->key)
    gnutls_memset(certificate->key, 0, PEM_MAX);
  free(certificate->key);
  free(certificate->chain);
  certificate->key = NULL;
  certificate->chain = NULL;
  certificate->folder[0] = '\0';
  certificate->ca_file[0] = '\0';
}
