/*
 * The table of all faults. Pure, constant.
 *
 * Common to all actions:
 *   on       create, poll, image, reference, other (what there is not), any;
 *            job for `fail`
 *   times    requests hit, default 1, math.huge for ever
 *   after    matching requests to let pass first, default 0
 *   work     whether a create does its work (job made, credits charged) before
 *            the fault; what is by default is told by the table's `refuses`
 *   headers  further headers of the answer
 *   seconds  waited before the answer
 *
 * Options of single actions:
 *   bytes    where it stops, how fast it is, how much there is; for `gzip` the
 *            unpacked size; an amount may be math.huge in the endless ones
 *   head     bytes count from the first byte of the answer, not of the body
 *   reset    ends with a reset of the connection instead of an orderly close
 *   add      to the Content-Length, may be negative; value: what it is instead
 *   count    how many 1xx answers, how many levels of nesting
 *   to       self (the same URL), chain (a new one each time), host (the same
 *            server by another name), http, https (the other scheme)
 *   shape    null, absent, empty, without_urls, null_urls, object
 *   last     the false fields come after the true ones
 */
#include "fault_kind.h"

#include <stddef.h>
#include <string.h>

#define REPLIES (1u << ON_CREATE | 1u << ON_POLL)
#define PICTURES (1u << ON_IMAGE | 1u << ON_REFERENCE)
#define ALL (REPLIES | PICTURES | 1u << ON_OTHER | 1u << ON_ANY)

const char *const fault_phases[] = {"create", "poll", "image", "reference",
                                    "other",  "any",  "job",   NULL};

const char *const fault_common_options[] = {
    "on", "action", "times", "after", "work", "headers", "seconds", NULL};

const FaultKind fault_kinds[FAULT_ACTIONS] = {
    [FAULT_STATUS] = {"status",
                      ALL,
                      false,
                      true,
                      {"status!", "body"},
                      "another status, with the error that goes with it"},
    [FAULT_DELAY] =
        {"delay", ALL, false, false, {"seconds!"}, "the right answer, late"},
    [FAULT_HANG] = {"hang", ALL, false, false, {NULL}, "no answer, ever"},
    [FAULT_RESET] = {"reset",
                     ALL,
                     false,
                     false,
                     {NULL},
                     "the connection is reset without an answer"},
    [FAULT_CLOSE] = {"close",
                     ALL,
                     false,
                     false,
                     {NULL},
                     "the connection is closed without an answer"},
    [FAULT_TRUNCATE] = {"truncate",
                        ALL,
                        false,
                        false,
                        {"bytes!"},
                        "a body cut short of its announced length"},
    [FAULT_MALFORMED] = {"malformed",
                         ALL,
                         false,
                         false,
                         {NULL},
                         "JSON that ends in the middle"},
    [FAULT_OVERSIZE] = {"oversize",
                        ALL,
                        false,
                        false,
                        {"bytes", "chunked"},
                        "a body too large"},
    [FAULT_REDIRECT] = {"redirect",
                        ALL,
                        false,
                        true,
                        {"status", "location", "to"},
                        "a redirect, to anywhere or to itself"},
    [FAULT_FAIL] = {"fail",
                    1u << ON_JOB,
                    false,
                    false,
                    {"error"},
                    "the next job made ends as failed, and is refunded"},
    [FAULT_BODY] = {"body",
                    ALL,
                    false,
                    false,
                    {"body!"},
                    "another body with the true status"},
    [FAULT_STALL] = {"stall",
                     ALL,
                     true,
                     false,
                     {"bytes", "head"},
                     "the answer stops on its way; the connection stays"},
    [FAULT_DRIP] = {"drip",
                    ALL,
                    true,
                    false,
                    {"bytes!", "head"},
                    "the body comes at so many bytes a second"},
    [FAULT_CUT] = {"cut",
                   ALL,
                   true,
                   false,
                   {"bytes!", "reset"},
                   "the connection ends after so many bytes, head included"},
    [FAULT_LENGTH] = {"length",
                      ALL,
                      true,
                      false,
                      {"add", "value"},
                      "a wrong Content-Length"},
    [FAULT_ENDLESS_HEADERS] = {"endless_headers",
                               ALL,
                               true,
                               false,
                               {"bytes"},
                               "headers without an end"},
    [FAULT_ENDLESS_CHUNKS] = {"endless_chunks",
                              ALL,
                              true,
                              false,
                              {"bytes"},
                              "a chunked body without an end"},
    [FAULT_INFORMATIONAL] = {"informational",
                             ALL,
                             true,
                             false,
                             {"status", "count"},
                             "1xx answers before the right one"},
    [FAULT_RAW] = {"raw",
                   ALL,
                   true,
                   false,
                   {"body!"},
                   "these bytes instead of an HTTP answer"},
    [FAULT_HTML] = {"html",
                    ALL,
                    false,
                    true,
                    {"status", "body"},
                    "an error page of a proxy"},
    [FAULT_TYPE] = {"type",
                    ALL,
                    false,
                    false,
                    {"type"},
                    "the right body under another content type"},
    [FAULT_GZIP] = {"gzip",
                    ALL,
                    false,
                    false,
                    {"bytes"},
                    "a small body that unpacks to a huge one"},
    [FAULT_SHORT] = {"short",
                     ALL,
                     false,
                     false,
                     {"bytes!"},
                     "only the first bytes of the body, and a length to match"},
    [FAULT_NOT_IMAGE] = {"not_image",
                         PICTURES,
                         false,
                         false,
                         {NULL},
                         "bytes of the right number and type, but no image"},
    [FAULT_DUPLICATE_KEYS] = {"duplicate_keys",
                              REPLIES,
                              false,
                              false,
                              {"last"},
                              "every field twice, with different values"},
    [FAULT_NESTING] = {"nesting",
                       REPLIES,
                       false,
                       false,
                       {"count"},
                       "arrays in arrays, deeply"},
    [FAULT_ESCAPES] = {"escapes",
                       REPLIES,
                       false,
                       false,
                       {"status"},
                       "NUL and terminal escapes in strings"},
    [FAULT_UNKNOWN_STATUS] = {"unknown_status",
                              REPLIES,
                              false,
                              false,
                              {"name", "status"},
                              "a job status that the documentation lacks"},
    [FAULT_OTHER_JOB] = {"other_job",
                         REPLIES,
                         false,
                         false,
                         {"id"},
                         "the answer names another job"},
    [FAULT_FAILED] = {"failed",
                      1u << ON_POLL,
                      false,
                      false,
                      {"error"},
                      "says failed, though the job goes on"},
    [FAULT_RESULTS] = {"results",
                       1u << ON_POLL,
                       false,
                       false,
                       {"shape"},
                       "says succeeded, without usable results"},
    [FAULT_MISSING] = {"missing",
                       ALL,
                       false,
                       true,
                       {NULL},
                       "404, as for what does not exist"},
    [FAULT_CONFLICT] = {"conflict",
                        1u << ON_CREATE,
                        false,
                        true,
                        {"status"},
                        "409 or 422 to a repeated idempotency key only"}};

static bool is_called(const char *option, const char *name) {
  size_t size = strcspn(option, "!");
  return strlen(name) == size && memcmp(option, name, size) == 0;
}

bool fault_kind_has(FaultAction action, const char *option) {
  for (size_t i = 0; fault_common_options[i]; i++)
    if (strcmp(fault_common_options[i], option) == 0)
      return true;
  const FaultKind *kind = &fault_kinds[action];
  for (size_t i = 0; kind->options[i]; i++)
    if (is_called(kind->options[i], option))
      return true;
  return false;
}
