/*
 * What is told to a ledger: a job that is to be sent, news of it, and whose it
 * is.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_ENTRY_H
#define GPTIMAGE2_ENGINE_LEDGER_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

/* What is known of a job before it is sent.  Texts may be NULL but for key,
 * base_url and body. */
typedef struct LedgerEntry {
  const char *key;
  const char *base_url;
  const char *mode;
  const char *prompt;
  const char *ratio;
  const char *metadata; /* a JSON object */
  int count;
  int cost; /* credits */
  const char *body;
  size_t body_length;
  const char *attempt_id; /* whose job it is from now on: see ledger_permit */
  const char *next_id;    /* that its first permission is asked for */
  const char *seen_id;    /* of one that is there: the attempt it had, "" = none
                           */
  const char *seen_owner; /* and its owner, who does not live: NULL = none */
  bool maybe_charged;     /* of one that is sent again: it may have been made */
  const char *job_id;     /* that an earlier create of it was given */
  const char *tenant;     /* for whom it is made, and who pays; NULL = nobody */
} LedgerEntry;

/* A copy of the texts but key, base_url, body, attempt_id and next_id; NULL
 * without memory. */
LedgerEntry *ledger_entry_copy(const LedgerEntry *entry);
void ledger_entry_free(LedgerEntry *entry);

/* What became of a job.  NULL and 0 leave a column as it is. */
typedef struct LedgerNews {
  const char *state;   /* see ledger_open.c */
  const char *charged; /* "no", "yes", "unknown", "refund_expected" */
  const char *job_id;
  const char *base_url; /* the service whose id that is */
  const char *account;  /* whose it is */
  const char *error;    /* a code from the public error table */
  unsigned attempts;    /* creates */
  int status;           /* HTTP, of the last answer */
  const char *answer;   /* to the create, as received */
  size_t answer_length;
  const char *result; /* the final answer to a poll, as received */
  size_t result_length;
  double seconds; /* that it took, from the answer to the create */
  bool failed;    /* the result says so: it replaces no pictures */
  bool parts;     /* nobody works on it any more, whatever is left to do */
  /* Where it is no fact but the word of one who sends: only where the row is
   * still theirs, under either of the two.  NULL = whosever it is. */
  const char *attempt_id;
  const char *next_id;
  /* Or as it was when it was read, where to take it over has perhaps not got
   * into the ledger: see LedgerEntry, and its maybe_charged. */
  const char *seen_id;
  bool seen_maybe_charged;
} LedgerNews;

/* How a ledger is opened; all zero is the usual. */
typedef struct LedgerOptions {
  bool any_owner;      /* the file may seem to be somebody else's */
  bool alone;          /* nobody else may spend on it meanwhile */
  const char *account; /* whose jobs its client makes: a name */
  const char *api_key; /* where `account` is NULL: tells the account */
} LedgerOptions;

#endif
