/*
 * An account: the settings of one client (service, limits), and what the I/O
 * thread keeps for it: jobs that wait for their turn, and their ledger.
 *
 * Made on the host's thread.  From the first command that names it, it belongs
 * to the I/O thread, references included.
 */
#ifndef GPTIMAGE2_ENGINE_ACCOUNT_H
#define GPTIMAGE2_ENGINE_ACCOUNT_H

#include "account_settings.h"
#include "command.h"
#include "engine/base/queue.h"
#include "engine/http/service.h"
#include "engine/ledger/ledger.h"
#include "engine/rules/gate.h"
#include "engine/rules/job_state.h"
#include "engine/rules/limiter.h"
#include "forecast.h"
#include "id_book.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct Account {
  unsigned references;
  AccountSettings settings; /* those of its service are in there */
  Service service;
  RetryQuota quota; /* for the creates of all its jobs */
  Limiter limiter;  /* jobs that wait, and how many do not */
  unsigned checked; /* of those that wait: their references are good */
  Ledger *ledger;   /* owned; NULL = none */
  Queue unrecorded; /* jobs whose intent is not durable yet, in order */
  Queue sending;    /* creates not yet permitted: job_record.c */
  Queue held;       /* creates that wait for the ledger to be written */
  Queue parting;    /* ended jobs, told of once the ledger has that */
  IdBook ids;       /* that the service gave its jobs */
  PollBook polls;   /* what was learned of how long jobs take */
  _Atomic(Forecast *) forecasts; /* the same, of each class, for the host's
                                    thread; NULL = nothing is known */
  double retry_at;    /* when to look at a ledger that is down, and */
  double retry_pause; /* how long the last pause was: seconds */
  Link dirty_link;    /* in the engine's list while `dirty` */
  unsigned unended;   /* ops that have not ended */
  GateOrigin *origin; /* the engine's; NULL = the engine does not know it yet */
  bool dropped;       /* the host wants no more of it */
  bool dirty;         /* the ledger has something to flush */
  Command dropping;   /* the host wants no more of it */
};

/* Whether an image at this URL must be at a public address: a service out there
 * must not make us ask our own network. */
bool account_wants_public(const Account *account, const char *image_url);

/* A job of that class has taken so long: how long most likely. */
double account_learn(Account *account, unsigned class, Duration took,
                     double now);

/* A job of that class has begun. */
void account_follow(Account *account, unsigned class, Duration begun);

/* It runs still; or, where `over`, has ended in some other way. */
void account_saw(Account *account, unsigned class, Duration so_far, bool over);

/* A job of that class is about to be told when to poll. */
void account_plan(Account *account, unsigned class, double now);

void account_hold(Account *account);

/* The account in which a COMMAND_DROP_ACCOUNT lies.  Any thread. */
static inline Account *account_of_command(Command *command) {
  return (Account *)(void *)((char *)command - offsetof(Account, dropping));
}

#endif
