/*
 * A certificate authority made on the spot, and a certificate of it for
 * localhost, 127.0.0.1 and ::1. Runs on the thread that starts the sandbox.
 */
#ifndef GPTIMAGE2_SANDBOX_CERTIFICATE_H
#define GPTIMAGE2_SANDBOX_CERTIFICATE_H

#include <stdbool.h>

/* What is wrong with the server's certificate. */
typedef enum CertificateFlaw {
  FLAW_NONE,
  FLAW_EXPIRED,
  FLAW_WRONG_HOST,
  FLAW_SELF_SIGNED /* not by the authority */
} CertificateFlaw;

/* PEM texts, and the folder made for the authority's file. */
typedef struct Certificate {
  char *key, *chain;
  char folder[512];
  char ca_file[544];
} Certificate;

/*
 * Makes both, and writes the authority's certificate into a folder of its own
 * below TMPDIR or /tmp. False: *why says why (a constant or gnutls's text),
 * and there is nothing to free.
 */
bool certificate_make(Certificate *certificate, CertificateFlaw flaw,
                      const char **why);

/* Removes file and folder, frees the texts. Harmless when repeated. */
void certificate_free(Certificate *certificate);

#endif
