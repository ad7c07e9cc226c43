/*
 * The code of a failed job as the service worded it.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_SERVICE_CODE_H
#define GPTIMAGE2_ENGINE_SERVICE_CODE_H

#include "api_reply.h"

/* Printable and not too long, without the API key: its error or, where it sent
 * none and ended the job by a word of its own, that.  NULL = neither, or no
 * memory.  To be freed. */
char *service_code(const ApiReply *reply, const char *api_key);

#endif
