/*
 * Limits that more than one place has to know: the engine, the binding and, as
 * core.limits, the part that is written in Lua.
 */
#ifndef GPTIMAGE2_ENGINE_LIMITS_H
#define GPTIMAGE2_ENGINE_LIMITS_H

#define URL_MAX 2048            /* bytes of a URL that a user gives */
#define IDEMPOTENCY_KEY_MAX 255 /* bytes */
#define REFERENCES_MAX 16       /* image_urls of one request */
#define CREDITS_EACH 10         /* for one image */
#define JSON_DEPTH_MAX 32       /* nesting of what the service says */
#define CONNECTIONS_MAX 256     /* max_connections, at most */
#define CONNECTIONS_DEFAULT 32

/* "2048", for messages. */
#define LIMIT_TEXT(limit) LIMIT_TEXT_OF(limit)
#define LIMIT_TEXT_OF(number) #number

#endif
