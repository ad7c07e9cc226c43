/*
 * The service's state: one account, its credits, its jobs, its idempotency
 * keys. Owns jobs and keys until service_free. Pure; runs under the lock of
 * the server that holds it, on whichever thread has that lock.
 */
#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double DAY = 86400.0;
static const double PENDING_PART = 1.0 / 3.0; /* of a job's duration */

void service_init(Service *service, const ServiceOptions *options) {
  *service = (Service){.options = *options};
  service->credits = options->credits;
  service->random = options->seed;
}

void service_free(Service *service) {
  for (Job *job = service->first; job;) {
    Job *next = job->next;
    free(job);
    job = next;
  }
  for (Key *key = service->keys; key;) {
    Key *next = key->next;
    free(key);
    key = next;
  }
  table_free(&service->jobs_by_id);
  table_free(&service->keys_by_name);
  *service = (Service){0};
}

/* splitmix64: ids need to differ, not to be secret. */
static uint64_t next_random(Service *service) {
  uint64_t z = service->random += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static void make_id(Service *service, char id[SERVICE_ID_SIZE]) {
  uint64_t high = next_random(service), low = next_random(service);
  unsigned variant = 0x8000u | ((unsigned)(low >> 48) & 0x3fffu);
  snprintf(id, SERVICE_ID_SIZE, "%08x-%04x-4%03x-%04x-%012llx",
           (unsigned)(high >> 32), (unsigned)(high >> 16) & 0xffffu,
           (unsigned)high & 0xfffu, variant & 0xffffu,
           (unsigned long long)(low & 0xffffffffffffu));
}

static void refund(Service *service, Job *job) {
  job->refunded = true;
  service->credits += job->credits;
  service->refunded += job->credits;
  if (job->free_day > 0 && service->free_used >= job->free_day)
    service->free_used -= job->free_day;
}

void service_settle(Service *service, double now) {
  int64_t day = (int64_t)(now / DAY);
  if (day != service->day) {
    service->day = day;
    service->free_used = 0;
  }
  service->now = now;
  while (service->failing &&
         service_status(service->failing, now) == JOB_FAILED) {
    Job *job = service->failing;
    service->failing = job->next_failing;
    refund(service, job);
  }
  if (!service->failing)
    service->failing_last = NULL;
}

Key *service_key(Service *service, const char *name) {
  if (!service->options.idempotency || !name || name[0] == '\0')
    return NULL;
  Key *key = table_find(&service->keys_by_name, name);
  if (!key) {
    size_t size = strlen(name) + 1;
    key = calloc(1, sizeof *key + size);
    if (!key)
      return NULL;
    memcpy(key->name, name, size);
    if (!table_add(&service->keys_by_name, &key->entry, key->name, key)) {
      free(key);
      return NULL;
    }
    key->next = service->keys;
    service->keys = key;
  }
  key->posts++;
  return key;
}

/* One block holds the job and its two texts. */
static Job *new_job(Service *service, const Order *order) {
  Job *job = calloc(1, sizeof *job + order->body_size + order->final_size + 2);
  if (!job)
    return NULL;
  char *text = (char *)(job + 1);
  memcpy(text, order->body, order->body_size);
  job->body = text;
  job->body_size = order->body_size;
  text += order->body_size + 1;
  memcpy(text, order->final_prompt, order->final_size);
  job->final_prompt = text;
  job->final_size = order->final_size;
  job->prompt_size = order->prompt_size;
  job->count = order->count;
  job->ratio = order->ratio;
  make_id(service, job->id);
  job->seed = next_random(service) >> 1;
  if (!table_add(&service->jobs_by_id, &job->entry, job->id, job)) {
    free(job);
    return NULL;
  }
  return job;
}

static void append_job(Service *service, Job *job) {
  if (!service->last)
    service->first = job;
  else
    service->last->next = job;
  service->last = job;
  service->jobs++;
}

static CreateResult replay(const Order *order, const Job *job) {
  bool same = job->body_size == order->body_size &&
              memcmp(job->body, order->body, order->body_size) == 0;
  return same ? CREATE_REPLAYED : CREATE_REUSED;
}

CreateResult service_create(Service *service, const Order *order, Key *key,
                            double now, Job **job) {
  service_settle(service, now);
  if (key && key->job) {
    *job = key->job;
    return replay(order, key->job);
  }
  int64_t free_left = service->options.free_per_day - service->free_used;
  int free_day = free_left < order->count ? (int)free_left : order->count;
  int credits = SERVICE_CREDITS * (order->count - free_day);
  if (service->credits < credits)
    return CREATE_CREDITS;
  Job *made = new_job(service, order);
  if (!made)
    return CREATE_MEMORY;
  made->created = now;
  made->duration = spread_next(&service->options.duration);
  made->credits = credits;
  made->free_day = free_day;
  made->posts = 1;
  made->key = key;
  if (key)
    key->job = made;
  service->credits -= credits;
  service->charged += credits;
  service->free_used += free_day;
  append_job(service, made);
  *job = made;
  return CREATE_OK;
}

Job *service_find(const Service *service, const char *id) {
  return table_find(&service->jobs_by_id, id);
}

JobStatus service_status(const Job *job, double now) {
  double age = now - job->created;
  if (age >= job->duration)
    return job->fails ? JOB_FAILED : JOB_SUCCEEDED;
  bool pending = age < job->duration * PENDING_PART;
  return pending ? JOB_PENDING : JOB_RUNNING;
}

Balance service_balance(const Service *service) {
  Balance balance = {.credits = service->credits,
                     .free_per_day = service->options.free_per_day};
  balance.free_images = balance.free_per_day - service->free_used;
  balance.images = service->credits / SERVICE_CREDITS + balance.free_images;
  return balance;
}

const char *service_status_name(JobStatus status) {
  static const char *const NAMES[] = {"pending", "running", "succeeded",
                                      "failed"};
  return NAMES[status];
}

Ratio service_ratio(const char *name) {
  static const char *const NAMES[] = {"1:1", "16:9", "9:16", "4:3", "3:4"};
  unsigned ratio = 0;
  while (ratio < RATIO_COUNT && strcmp(NAMES[ratio], name) != 0)
    ratio++;
  return (Ratio)ratio;
}

static double end_of(const Job *job) {
  return job->created + job->duration;
}

/* Among those that fail, in the order in which they do: mostly at the end. */
static void insert_failing(Service *service, Job *job) {
  Job **at = &service->failing, *last = service->failing_last;
  if (last && end_of(last) <= end_of(job))
    at = &last->next_failing;
  while (*at && end_of(*at) <= end_of(job))
    at = &(*at)->next_failing;
  job->next_failing = *at;
  *at = job;
  if (!job->next_failing)
    service->failing_last = job;
}

void service_fail(Service *service, Job *job, const char *error) {
  job->fails = true;
  snprintf(job->error, sizeof job->error, "%s", error);
  insert_failing(service, job);
}
