/*
 * The service's JSON: reads the body of a create, writes replies. Pure. A
 * written text is malloc'ed and belongs to the caller; NULL means no memory.
 */
#ifndef GPTIMAGE2_SANDBOX_WIRE_H
#define GPTIMAGE2_SANDBOX_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/service/service.h"

/* A JSON text, NUL-terminated; `text` is the holder's to free. */
typedef struct WireText {
  char *text;
  size_t size, room;
} WireText;

/* A create's body, read and checked. wire_free_order releases final_prompt. */
typedef struct WireOrder {
  Order order;
  char *final_prompt;
} WireOrder;

/*
 * Reads and checks a create's body, which must outlive the order. Returns
 * NULL, or the service's error code; then there is nothing to free.
 */
const char *wire_read_order(const char *body, size_t size, WireOrder *order);
void wire_free_order(WireOrder *order);

/* {"error":code} */
bool wire_error(WireText *out, const char *code);

/* The answer about a job; image URLs begin with `base`. */
bool wire_job(WireText *out, const Job *job, JobStatus status,
              const Balance *balance, const char *base);

/* The final prompt of a job, or another text, as a JSON string. */
bool wire_string(WireText *out, const char *text, size_t size);

#endif
