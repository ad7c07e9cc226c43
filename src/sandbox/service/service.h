/*
 * The service's state: one account, its credits, its jobs, its idempotency
 * keys. Pure: no sockets, no JSON, no clock (`now` is passed in, in seconds,
 * and never goes back). The service owns its jobs and keys until
 * service_free; a Job's constant fields may be read without the lock, all
 * else only under the lock of the server that holds the service.
 */
#ifndef GPTIMAGE2_SANDBOX_SERVICE_H
#define GPTIMAGE2_SANDBOX_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spread.h"
#include "table.h"

enum {
  SERVICE_CREDITS = 10,   /* what one image costs */
  SERVICE_MAX_COUNT = 4,  /* images of one job */
  SERVICE_MAX_ERROR = 64, /* bytes of an error code, NUL included */
  SERVICE_MAX_KEY = 255,  /* bytes of an idempotency key */
  SERVICE_ID_SIZE = 37    /* a UUID and its NUL */
};

typedef enum JobStatus {
  JOB_PENDING,
  JOB_RUNNING,
  JOB_SUCCEEDED,
  JOB_FAILED
} JobStatus;

typedef enum Ratio {
  RATIO_1_1,
  RATIO_16_9,
  RATIO_9_16,
  RATIO_4_3,
  RATIO_3_4,
  RATIO_COUNT
} Ratio;

/* An idempotency key, seen in a POST, with or without a job made for it. */
typedef struct Key {
  struct Key *next;
  Entry entry;
  struct Job *job;
  uint64_t posts; /* POSTs that named the key */
  char name[];
} Key;

typedef struct Job {
  struct Job *next;         /* the order of creation */
  struct Job *next_failing; /* the order in which failing jobs fail */
  Entry entry;
  Key *key; /* NULL without one */
  double created;
  double duration; /* seconds from the create to the final state */
  uint64_t seed;   /* of image 1; image n has seed + n - 1 */
  uint64_t posts, polls;
  int count;    /* images, 1 to 4 */
  int credits;  /* charged */
  int free_day; /* images taken from the day's free ones */
  Ratio ratio;
  bool fails, refunded;
  const char *body; /* the exact bytes of the POST */
  size_t body_size;
  const char *final_prompt; /* begins with the prompt */
  size_t prompt_size, final_size;
  char error[SERVICE_MAX_ERROR];
  char id[SERVICE_ID_SIZE];
} Job;

typedef struct Balance {
  int64_t credits, free_images, images, free_per_day;
} Balance;

typedef struct ServiceOptions {
  int64_t credits;
  int64_t free_per_day;
  Spread duration; /* of the jobs, from the create to the final state */
  bool idempotency;
  uint64_t seed; /* of ids and image seeds */
} ServiceOptions;

/* What a create asks for, checked already; all pointers are the caller's. */
typedef struct Order {
  const char *body;
  size_t body_size;
  const char *final_prompt;
  size_t prompt_size, final_size;
  int count;
  Ratio ratio;
} Order;

typedef enum CreateResult {
  CREATE_OK,
  CREATE_REPLAYED, /* the key's first job, nothing charged */
  CREATE_REUSED,   /* the key belongs to another body */
  CREATE_CREDITS,  /* not enough of them */
  CREATE_MEMORY
} CreateResult;

typedef struct Service {
  ServiceOptions options;
  int64_t credits, charged, refunded;
  int64_t free_used; /* on day `day` */
  int64_t day;       /* whole days since `now` was 0 */
  uint64_t random;   /* state of the generator */
  double now;        /* the latest time seen */
  Job *first, *last;
  Job *failing, *failing_last;
  Key *keys;
  Table jobs_by_id, keys_by_name;
  size_t jobs;
} Service;

void service_init(Service *service, const ServiceOptions *options);
void service_free(Service *service);

/* Brings the books up to `now`: refunds what has failed by then. */
void service_settle(Service *service, double now);

/*
 * Notes a POST that names idempotency key `name` and gives the key; NULL with
 * keys switched off, without a name, and without memory.
 */
Key *service_key(Service *service, const char *name);

/* Makes a job and charges for it. `key` may be NULL. `*job` is set if there
 * is one. */
CreateResult service_create(Service *service, const Order *order, Key *key,
                            double now, Job **job);

/* The job with that id, or NULL. */
Job *service_find(const Service *service, const char *id);

JobStatus service_status(const Job *job, double now);
Balance service_balance(const Service *service);

/* "pending", "running", "succeeded" or "failed". */
const char *service_status_name(JobStatus status);

/* The ratio written "16:9"; RATIO_COUNT if there is no such one. */
Ratio service_ratio(const char *name);

/* Lets the job made last end as failed with `error`, and be refunded then. */
void service_fail(Service *service, Job *job, const char *error);

#endif
