/* The settings of one client, and what the I/O thread keeps for it: see
 * account.h. */
#include "account.h"

#include "engine/base/url.h"
#include "engine/http/http.h"

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

/* Here rather than in each job: there may be thousands. */
static void reserve_poll_url(Account *account, bool *ok) {
  size_t length = account->generate_url ? strlen(account->generate_url) + 1 : 0;
  account->poll_url = malloc(length + 3 * JOB_ID_MAX + 1);
  if (!account->generate_url || !account->poll_url) {
    *ok = false;
    return;
  }
  snprintf(account->poll_url, length + 1, "%s/", account->generate_url);
  account->poll_id = account->poll_url + length;
}

const char *account_poll_url(const Account *account, const char *id) {
  url_write_segment(account->poll_id, id);
  return account->poll_url;
}

/* libcurl's header lists may live in our own memory: it only reads them. */
static void set_headers(Account *account) {
  static char json[] = "Content-Type: application/json";
  static char accept[] = "Accept:"; /* libcurl's own is left out */
  struct curl_slist *post = account->post_headers;
  struct curl_slist *get = account->get_headers;
  post[0] = (struct curl_slist){account->authorization, &post[1]};
  post[1] = (struct curl_slist){account->user_agent, &post[2]};
  post[2] = (struct curl_slist){json, &post[3]};
  post[3] = (struct curl_slist){accept, NULL};
  get[0] = (struct curl_slist){account->authorization, &get[1]};
  get[1] = (struct curl_slist){account->user_agent, &get[2]};
  get[2] = (struct curl_slist){accept, NULL};
}

/* What the URL says about the service.  Its path may be sent as it is unless a
 * proxy wants the whole URL, or libcurl would leave out a "." or a "..". */
static void read_url(Account *account) {
  const char *text = account->settings.base_url;
  Url url;
  if (url_parse(text, strlen(text), &url))
    return;
  account->host = url.host;
  account->host_length = url.host_length;
  account->local = account->inside = url.loopback;
  account->secure = url.https;
  if (!account->settings.proxy && !strstr(url.rest, "/."))
    account->path_at = (size_t)(url.rest - text);
}

static void free_account(Account *account) {
  AccountSettings *settings = &account->settings;
  http_free_idle(account);
  id_book_free(&account->ids);
  if (account->ledger)
    ledger_close(account->ledger);
  if (account->authorization)
    explicit_bzero(account->authorization, strlen(account->authorization));
  free(account->authorization);
  free(account->user_agent);
  free(account->generate_url);
  free(account->poll_url);
  free((char *)settings->base_url);
  free((char *)settings->user_agent);
  free((char *)settings->proxy);
  free((char *)settings->ca_file);
  free(account);
}

Account *account_new(const AccountSettings *settings, Ledger *ledger) {
  Account *account = calloc(1, sizeof *account);
  bool ok = true;
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
  reserve_poll_url(account, &ok);
  account->authorization = join(AUTHORIZATION, settings->api_key, &ok);
  account->user_agent = join("User-Agent: ", settings->user_agent, &ok);
  if (!ok) {
    free_account(account);
    return NULL;
  }
  set_headers(account);
  read_url(account);
  return account;
}

/* libcurl repeats a URL as it was given. */
bool account_is_secret(const Account *account, const char *text) {
  const char *proxy = account->settings.proxy;
  const char *end = proxy ? strrchr(proxy, '@') : NULL;
  const char *start = end ? strstr(proxy, "://") : NULL;
  const char *password = start ? strchr(start + 3, ':') : NULL;
  size_t length;
  if (!password || password > end)
    return false;
  length = (size_t)(end - password) - 1;
  return length > 0 && memmem(text, strlen(text), password + 1, length) != NULL;
}

/* FNV-1a (Fowler, Noll, Vo), with 64 bits. */
static uint64_t add_to_name(uint64_t name, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    name = (name ^ (unsigned char)bytes[i]) * 0x100000001b3u;
  return name;
}

uint64_t account_origin_name(const Account *account) {
  const char *proxy = account->settings.proxy;
  uint64_t name = 0xcbf29ce484222325u;
  char url[URL_NAME_MAX];
  size_t length;
  url_write_name(url, account->settings.base_url);
  length = strcspn(url, ":"); /* behind the scheme the path may begin */
  length += strspn(url + length, ":/");
  length += strcspn(url + length, "/?#");
  name = add_to_name(name, url, length + 1 < sizeof url ? length : 0);
  return proxy ? add_to_name(name, proxy, strlen(proxy)) : name;
}

ImageRules account_image_rules(const Account *account) {
  return (ImageRules){.plain_loopback = account->local,
                      .plain_host = account->secure ? NULL : account->host,
                      .plain_host_length = account->host_length};
}

bool account_wants_public(const Account *account, const char *image_url) {
  Url url;
  if (account->inside || account->settings.allow_private_references)
    return false;
  return url_parse_any(image_url, &url) ||
         !url_is_host(&url, account->host, account->host_length);
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
