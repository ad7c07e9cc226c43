/* The settings of one client, and what the I/O thread keeps for it: see
 * account.h. */
#include "account.h"

#include "http.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTHORIZATION "Authorization: Bearer "

/* strdup that keeps NULL and notes a failure. */
static const char *copy(const char *text, bool *ok) {
  char *copied = text ? strdup(text) : NULL;
  if (text && !copied)
    *ok = false;
  return copied;
}

/* The two texts joined in a new allocation. */
static char *join(const char *first, const char *second, bool *ok) {
  size_t size = strlen(first) + strlen(second) + 1;
  char *text = malloc(size);
  if (text)
    snprintf(text, size, "%s%s", first, second);
  else
    *ok = false;
  return text;
}

/* libcurl's header lists may live in our own memory: it only reads them. */
static void set_headers(Account *account) {
  static char json[] = "Content-Type: application/json";
  static char accept[] = "Accept: application/json";
  account->post_headers[0] =
      (struct curl_slist){account->authorization, &account->post_headers[1]};
  account->post_headers[1] =
      (struct curl_slist){json, &account->post_headers[2]};
  account->post_headers[2] = (struct curl_slist){accept, NULL};
  account->get_headers[0] =
      (struct curl_slist){account->authorization, &account->get_headers[1]};
  account->get_headers[1] = (struct curl_slist){accept, NULL};
}

static void free_account(Account *account) {
  AccountSettings *settings = &account->settings;
  http_free_idle(account);
  if (account->ledger)
    ledger_close(account->ledger);
  if (account->authorization)
    explicit_bzero(account->authorization, strlen(account->authorization));
  free(account->authorization);
  free(account->generate_url);
  free((char *)settings->base_url);
  free((char *)settings->user_agent);
  free((char *)settings->proxy);
  free((char *)settings->ca_file);
  free(account);
}

Account *account_new(const AccountSettings *settings, Ledger *ledger) {
  Account *account = calloc(1, sizeof *account);
  bool ok = true;
  Url url;
  if (!account) {
    if (ledger)
      ledger_close(ledger);
    return NULL;
  }
  account->ledger = ledger;
  account->references = 1;
  pace_init(&account->turns.pace, settings->max_active);
  account->quota = RETRY_QUOTA_FULL;
  account->settings = *settings;
  account->settings.api_key = NULL; /* lives in `authorization` alone */
  account->settings.base_url = copy(settings->base_url, &ok);
  account->settings.user_agent = copy(settings->user_agent, &ok);
  account->settings.proxy = copy(settings->proxy, &ok);
  account->settings.ca_file = copy(settings->ca_file, &ok);
  account->generate_url = join(settings->base_url, "/api/generate", &ok);
  account->authorization = join(AUTHORIZATION, settings->api_key, &ok);
  if (!ok) {
    free_account(account);
    return NULL;
  }
  set_headers(account);
  if (!url_parse(settings->base_url, strlen(settings->base_url), &url)) {
    account->local = url.loopback;
    account->secure = url.https;
  }
  return account;
}

const char *account_key(const Account *account) {
  return account->authorization + strlen(AUTHORIZATION);
}

void account_hold(Account *account) {
  account->references++;
}

void account_drop(Account *account) {
  if (--account->references == 0)
    free_account(account);
}
