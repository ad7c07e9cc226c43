/*
 * What a client says of the service that it talks to.
 */
#ifndef GPTIMAGE2_ENGINE_SERVICE_SETTINGS_H
#define GPTIMAGE2_ENGINE_SERVICE_SETTINGS_H

/* Texts are copied.  Times in seconds. */
typedef struct ServiceSettings {
  const char *base_url;   /* without a slash at the end */
  const char *api_key;    /* visible ASCII */
  const char *user_agent; /* never NULL */
  const char *proxy;      /* NULL = none, whatever the environment says */
  const char *ca_file;    /* NULL = the system's */
  double connect_timeout;
} ServiceSettings;

#endif
