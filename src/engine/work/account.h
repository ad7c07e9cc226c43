/*
 * An account: the settings of one client (key, URL, limits), and what the I/O
 * thread keeps for it: jobs that wait for their turn, and warm easy handles.
 *
 * Made on the host's thread.  From the first command that names it, it belongs
 * to the I/O thread, references included.
 */
#ifndef GPTIMAGE2_ENGINE_ACCOUNT_H
#define GPTIMAGE2_ENGINE_ACCOUNT_H

#include "command.h"
#include "engine/base/id_book.h"
#include "engine/base/url.h"
#include "engine/job/job_list.h"
#include "engine/ledger/ledger.h"
#include "engine/loop/curl_lib.h"
#include "engine/rules/flow.h"
#include "engine/rules/gate.h"
#include "engine/rules/turn.h"

#include <stdbool.h>

struct Exchange;
typedef struct Account Account;

/* Texts are copied.  Times in seconds. */
typedef struct AccountSettings {
  const char *base_url;   /* without a slash at the end */
  const char *api_key;    /* visible ASCII */
  const char *user_agent; /* never NULL */
  const char *proxy;      /* NULL = none, whatever the environment says */
  const char *ca_file;    /* NULL = the system's */
  double connect_timeout;
  double request_timeout;
  FlowSettings flow;
  unsigned max_active;      /* unfinished jobs at the service at once */
  unsigned max_connections; /* 1 to GATE_PLACES_MAX: see gate.h */
  bool allow_private_references;
} AccountSettings;

/* The sorts of exchanges: see http.h.  Each has easy handles of its own, so
 * that what is the same for all of a sort is told to libcurl once. */
typedef enum HttpSort { HTTP_POST, HTTP_GET, HTTP_FETCH, HTTP_SORTS } HttpSort;

/* Warm easy handles. */
typedef struct IdleExchanges {
  struct Exchange *first;
  unsigned count;
} IdleExchanges;

struct Account {
  unsigned references;
  AccountSettings settings; /* the texts are ours */
  char *generate_url;       /* base_url/api/generate */
  char *poll_url;           /* the same with a slash, and room for a job id */
  char *poll_id;            /* where in it the id goes */
  size_t path_at;           /* where its path begins; 0 = libcurl sees to it */
  CURLU *service;           /* generate_url, taken apart; NULL at first */
  char *user_agent;         /* the header line */
  char *authorization;      /* the header line: secret */
  const char *host;         /* of the service, in settings.base_url */
  size_t host_length;
  bool local;         /* the service is on this machine */
  bool inside;        /* it is at an address that is not public */
  bool secure;        /* the service is reached over TLS */
  double fresh_until; /* creates need connections of their own */
  bool http1;         /* and answers over HTTP/1 */
  bool needs_http1;   /* and wants it: HTTP_1_1_REQUIRED */
  struct curl_slist post_headers[4];
  struct curl_slist get_headers[3];
  RetryQuota quota;   /* for the creates of all its jobs */
  Turns turns;        /* jobs that wait, and how many do not */
  unsigned checked;   /* of those that wait: their references are good */
  Ledger *ledger;     /* owned; NULL = none */
  JobList unrecorded; /* jobs whose intent is not durable yet, in order */
  JobList sending;    /* creates not yet permitted: job_record.c */
  JobList held;       /* creates that wait for the ledger to be written */
  JobList parting;    /* ended jobs, told of once the ledger has that */
  IdBook ids;         /* that the service gave its jobs */
  double retry_at;    /* when to look at a ledger that is down, and */
  double retry_pause; /* how long the last pause was: seconds */
  Link dirty_link;    /* in the engine's list while `dirty` */
  unsigned unended;   /* works that have not ended */
  GateOrigin *origin; /* the engine's; NULL = the engine does not know it yet */
  bool dropped;       /* the host wants no more of it */
  bool dirty;         /* the ledger has something to flush */
  Command dropping;   /* the host wants no more of it */
  IdleExchanges idle[HTTP_SORTS];
};

/* An account with one reference, which takes over `ledger` (NULL = none); NULL
 * when memory runs out, and the ledger is closed then.  Host's thread. */
Account *account_new(const AccountSettings *settings, Ledger *ledger);

/* The key alone, for finding it in texts that must not show it.  Host's or I/O
 * thread: it never changes. */
const char *account_key(const Account *account);

/* True when `text` holds the proxy's password.  I/O thread. */
bool account_is_secret(const Account *account, const char *text);

/* What its base_url permits the URLs of images. */
ImageRules account_image_rules(const Account *account);

/* Whether an image at this URL must be at a public address: a service out there
 * must not make us ask our own network. */
bool account_wants_public(const Account *account, const char *image_url);

/* The URL of the job `id`, until the next call.  I/O thread. */
const char *account_poll_url(const Account *account, const char *id);

/* Names the place that its connections lead to: scheme, host and port, and the
 * proxy on the way.  Others may have the same name, very rarely. */
uint64_t account_origin_name(const Account *account);

void account_hold(Account *account);

/* Gives a reference back; the last one frees the account and wipes the key. */
void account_drop(Account *account);

#endif
