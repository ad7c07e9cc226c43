/*
 * A tenant of a ledger: one of those for whom its jobs are made, and what they
 * may spend.
 */
#ifndef GPTIMAGE2_ENGINE_TENANT_H
#define GPTIMAGE2_ENGINE_TENANT_H

#include <math.h>
#include <stdbool.h>

#define TENANT_NAME_MAX 128 /* bytes */

/* What a row of the table says.  Credits. */
typedef struct Tenant {
  bool found;
  double budget;   /* INFINITY = none */
  double reserved; /* by jobs that are not settled */
  double spent;    /* by those that are */
  double weight;
} Tenant;

/* What is to be another, or made. */
typedef struct TenantChange {
  bool has_budget;
  double budget; /* INFINITY = none */
  double weight; /* 0 = as it is */
} TenantChange;

#endif
