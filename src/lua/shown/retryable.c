/*
 * Whether the same call may go well later: `retryable` of all errors, but for
 * those of jobs that may have been paid, whose verdict (verdict.c) says no.
 *
 * It may where something outside of the call can be otherwise by then: the
 * network, a host, a disk's room, its rights, what else is open.  It may not
 * where the call itself must change, or what it is about.
 */
#include "retryable.h"

#include <stddef.h>
#include <string.h>

typedef struct Row {
  const char *kind;
  const char *code; /* NULL = the others of this kind */
  bool retryable;
} Row;

/* Kinds that are missing are not.  The first that fits counts. */
static const Row rows[] = {
    {"validation", "cannot_wait_here", true},
    {"rate_limit", NULL, true},
    {"server", NULL, true},
    {"network", NULL, true}, /* image_refused: by its status, see below */
    {"tls", "certificate_refused", false},
    {"tls", "ca_file_unreadable", false},
    {"tls", NULL, true},
    {"timeout", NULL, true},
    {"protocol", "not_an_image", true}, /* a page that says: come back later */
    {"protocol", "unexpected_status", true},
    {"protocol", NULL, false}, /* an image's URL or size stay as they are */
    {"ledger", "ledger_locked", true},
    {"ledger", "ledger_unwritable", true},
    {"ledger", NULL, false},
    {"io", "file_exists", false}, /* another name, or overwrite = true */
    {"io", "bad_place", false},
    {"io", "path_too_long", false},
    {"io", NULL, true}, /* the disk, its rights, descriptors, memory, threads */
};

bool retryable_status(int status) {
  return status == 408 || status == 429 || status >= 500;
}

/* Of an image's host.  Of those that say that there is none, the service was
 * asked for a new URL already: fetch.lua knows more. */
static bool is_passing_refusal(int status) {
  return retryable_status(status) || status == 416 || status == 425;
}

bool retryable(const char *kind, const char *code, int status) {
  if (strcmp(code, "image_refused") == 0)
    return is_passing_refusal(status);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp(rows[i].kind, kind) == 0 &&
        (!rows[i].code || strcmp(rows[i].code, code) == 0))
      return rows[i].retryable;
  return false;
}
