/* What all exchanges of one client have in common: see service.h. */
#include "service.h"

#include "engine/base/platform.h"

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
static void reserve_poll_url(Service *service, bool *ok) {
  size_t length = service->generate_url ? strlen(service->generate_url) + 1 : 0;
  service->poll_url = malloc(length + 3 * JOB_ID_MAX + 1);
  if (!service->generate_url || !service->poll_url) {
    *ok = false;
    return;
  }
  snprintf(service->poll_url, length + 1, "%s/", service->generate_url);
  service->poll_id = service->poll_url + length;
}

const char *service_poll_url(const Service *service, const char *id) {
  url_write_segment(service->poll_id, id);
  return service->poll_url;
}

/* libcurl's header lists may live in our own memory: it only reads them. */
static void set_headers(Service *service) {
  static char json[] = "Content-Type: application/json";
  static char accept[] = "Accept:"; /* libcurl's own is left out */
  struct curl_slist *post = service->post_headers;
  struct curl_slist *get = service->get_headers;
  post[0] = (struct curl_slist){service->authorization, &post[1]};
  post[1] = (struct curl_slist){service->user_agent, &post[2]};
  post[2] = (struct curl_slist){json, &post[3]};
  post[3] = (struct curl_slist){accept, NULL};
  get[0] = (struct curl_slist){service->authorization, &get[1]};
  get[1] = (struct curl_slist){service->user_agent, &get[2]};
  get[2] = (struct curl_slist){accept, NULL};
}

/* What the URL says about the service.  Its path may be sent as it is unless a
 * proxy wants the whole URL, or libcurl would leave out a "." or a "..". */
static void read_url(Service *service) {
  const char *text = service->settings.base_url;
  Url url;
  if (url_parse(text, strlen(text), &url))
    return;
  service->host = url.host;
  service->host_length = url.host_length;
  service->local = service->inside = url.loopback;
  service->secure = url.https;
  if (!service->settings.proxy && !strstr(url.rest, "/."))
    service->path_at = (size_t)(url.rest - text);
}

static void wipe_key(Service *service) {
  if (service->authorization)
    platform_wipe(service->authorization, strlen(service->authorization));
}

void service_free(Service *service) {
  ServiceSettings *settings = &service->settings;
  wipe_key(service);
  free(service->authorization);
  free(service->user_agent);
  free(service->generate_url);
  free(service->poll_url);
  free((char *)settings->base_url);
  free((char *)settings->user_agent);
  free((char *)settings->proxy);
  free((char *)settings->ca_file);
}

bool service_init(Service *service, const ServiceSettings *settings) {
  bool ok = true;
  *service = (Service){.settings = *settings};
  service->settings.api_key = NULL; /* lives in `authorization` alone */
  service->settings.base_url = copy(settings->base_url, &ok);
  service->settings.user_agent = copy(settings->user_agent, &ok);
  service->settings.proxy = copy(settings->proxy, &ok);
  service->settings.ca_file = copy(settings->ca_file, &ok);
  service->generate_url = join(settings->base_url, "/api/generate", &ok);
  reserve_poll_url(service, &ok);
  service->authorization = join(AUTHORIZATION, settings->api_key, &ok);
  service->user_agent = join("User-Agent: ", settings->user_agent, &ok);
  if (!ok)
    return false;
  set_headers(service);
  read_url(service);
  return true;
}

/* libcurl repeats a URL as it was given. */
bool service_is_secret(const Service *service, const char *text) {
  const char *proxy = service->settings.proxy;
  const char *end = proxy ? strrchr(proxy, '@') : NULL;
  const char *start = end ? strstr(proxy, "://") : NULL;
  const char *password = start ? strchr(start + 3, ':') : NULL;
  size_t length;
  if (!password || password > end)
    return false;
  length = (size_t)(end - password) - 1;
  return length > 0 &&
         platform_find(text, strlen(text), password + 1, length) != NULL;
}

/* FNV-1a (Fowler, Noll, Vo), with 64 bits. */
static uint64_t add_to_name(uint64_t name, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    name = (name ^ (unsigned char)bytes[i]) * 0x100000001b3u;
  return name;
}

uint64_t service_origin_name(const Service *service) {
  const char *proxy = service->settings.proxy;
  uint64_t name = 0xcbf29ce484222325u;
  char url[URL_NAME_MAX];
  size_t length;
  url_write_name(url, service->settings.base_url);
  length = strcspn(url, ":"); /* behind the scheme the path may begin */
  length += strspn(url + length, ":/");
  length += strcspn(url + length, "/?#");
  name = add_to_name(name, url, length + 1 < sizeof url ? length : 0);
  return proxy ? add_to_name(name, proxy, strlen(proxy)) : name;
}

ImageRules service_image_rules(const Service *service) {
  return (ImageRules){.plain_loopback = service->local,
                      .plain_host = service->secure ? NULL : service->host,
                      .plain_host_length = service->host_length};
}

const char *service_key(const Service *service) {
  return service->authorization + strlen(AUTHORIZATION);
}
