/*
 * One thing that is wrong with a ledger.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_FINDING_H
#define GPTIMAGE2_ENGINE_LEDGER_FINDING_H

/* Texts belong to who found it, until the next. */
typedef struct LedgerFinding {
  const char *code;
  const char *key;    /* of the job; NULL = of none */
  const char *detail; /* NULL = there is none */
} LedgerFinding;

#endif
