/* The settings of one client, and what the I/O thread keeps for it: see
 * account.h. */
#include "account.h"

#include "engine/base/clock.h"
#include "engine/http/http_handle.h"

#include <math.h>
#include <stdlib.h>

static void free_account(Account *account) {
  http_free_idle(&account->service);
  id_book_free(&account->ids);
  poll_book_free(&account->polls);
  free(atomic_load(&account->forecasts));
  if (account->ledger)
    ledger_close(account->ledger);
  service_free(&account->service);
  free(account);
}

/* ---- how long jobs take ---- */

/* Where the host's thread finds what is known of each class: allocated with the
 * first of it.  NULL without memory. */
static Forecast *forecasts_of(Account *account) {
  Forecast *all = atomic_load(&account->forecasts);
  if (!all && (all = calloc(POLL_CLASSES, sizeof *all)))
    atomic_store(&account->forecasts, all);
  return all;
}

void account_plan(Account *account, unsigned class, double now) {
  Outlook outlook;
  Forecast *all;
  if (poll_book_plan(&account->polls, class, now, &outlook) &&
      (all = forecasts_of(account)))
    forecast_set(&all[class], &outlook);
}

/* Classes of which less is known may go by this one. */
static void plan_all(Account *account, double now) {
  for (unsigned class = 1; class < POLL_CLASSES; class ++)
    account_plan(account, class, now);
}

static bool find_outlook(const Account *account, unsigned class,
                         Outlook *outlook) {
  const Forecast *all = atomic_load(&account->forecasts);
  return all && class < POLL_CLASSES && forecast_get(&all[class], outlook);
}

double account_learn(Account *account, unsigned class, Duration took,
                     double now) {
  double middle = ((double)took.low + (double)took.high) / 2;
  Outlook outlook;
  if (find_outlook(account, class, &outlook))
    middle = outlook_between(&outlook, (double)took.low, (double)took.high);
  poll_book_update(&account->polls, class, took);
  plan_all(account, now);
  return middle;
}

void account_follow(Account *account, unsigned class, Duration begun) {
  poll_book_add(&account->polls, class, begun);
}

void account_saw(Account *account, unsigned class, Duration so_far, bool over) {
  if (over)
    so_far.high = DURATION_LEFT;
  poll_book_update(&account->polls, class, so_far);
}

static void set_polls(Account *account) {
  PollSettings *poll = &account->settings.state.poll;
  double share = account->settings.poll_share;
  if (!(poll->unit > 0))
    poll->unit = 1;
  poll_book_init(&account->polls, poll->unit, share > 0 ? share : 1);
  poll->plans = account->settings.learns ? account->polls.plans : NULL;
}

/* Of the jobs that the ledger knows: a few for each class, and a bound. */
#define RECALLED 1024
#define LONG_AGO 1e9 /* seconds: of their time nobody is at work any more */

/* A ledger has one number for each, and not between which looks it was: as far
 * apart as they mostly are. */
#define LOOKS_APART 2.5
#define SHARE_APART 0.5 /* of the number, at most */

static Duration recalled(const LedgerDuration *one, double unit, double now) {
  double apart = fmin(LOOKS_APART * unit, SHARE_APART * one->seconds) / 2;
  double age = now - one->submitted;
  return (Duration){.began = -LONG_AGO - (age > 0 ? age : 0),
                    .low = (float)(one->seconds - apart),
                    .high = (float)(one->seconds + apart)};
}

/* What earlier processes have learned, the oldest first. */
static void recall(Account *account, const char *base_url) {
  LedgerDuration *known = calloc(RECALLED, sizeof *known);
  unsigned count =
      known ? ledger_durations(account->ledger, base_url, known, RECALLED) : 0;
  double now = clock_wall();
  while (count-- > 0) {
    const LedgerDuration *one = &known[count];
    poll_book_add(&account->polls, poll_class(one->images, one->count),
                  recalled(one, account->polls.unit, now));
  }
  free(known);
  plan_all(account, 0);
}

double account_expect(const Account *account, unsigned class, double age,
                      double chance) {
  Outlook outlook;
  return find_outlook(account, class, &outlook)
             ? outlook_left(&outlook, age, chance)
             : (double)NAN;
}

/* ---- its life ---- */

Account *account_new(const AccountSettings *settings, Ledger *ledger) {
  Account *account = calloc(1, sizeof *account);
  if (!account) {
    if (ledger)
      ledger_close(ledger);
    return NULL;
  }
  account->ledger = ledger;
  account->references = 1;
  adaptive_limit_init(&account->limiter.limit, settings->max_active);
  account->quota = RETRY_QUOTA_FULL;
  account->settings = *settings;
  account->settings.service = (ServiceSettings){0};
  set_polls(account);
  if (!service_init(&account->service, &settings->service)) {
    free_account(account);
    return NULL;
  }
  if (ledger)
    recall(account, account->service.settings.base_url);
  return account;
}

bool account_wants_public(const Account *account, const char *image_url) {
  const Service *service = &account->service;
  Url url;
  if (service->inside || account->settings.allow_private_references)
    return false;
  return url_parse_any(image_url, &url) ||
         !url_is_host(&url, service->host, service->host_length);
}

const char *account_api_key(const Account *account) {
  return service_key(&account->service);
}

bool account_has_ledger(const Account *account) {
  return account->ledger != NULL;
}

void account_hold(Account *account) {
  account->references++;
}

void account_drop(Account *account) {
  if (--account->references == 0)
    free_account(account);
}
