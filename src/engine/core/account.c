/* The settings of one client, and what the I/O thread keeps for it: see
 * account.h. */
#include "account.h"

#include "engine/http/http_handle.h"

#include <stdlib.h>

static void free_account(Account *account) {
  http_free_idle(&account->service);
  id_book_free(&account->ids);
  if (account->ledger)
    ledger_close(account->ledger);
  service_free(&account->service);
  free(account);
}

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
  if (service_init(&account->service, &settings->service))
    return account;
  free_account(account);
  return NULL;
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
