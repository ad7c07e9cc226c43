/* Making a job from its spec: engine_job, the host's side of job_run.c. */
#include "engine/base/clock.h"
#include "job.h"
#include "job_id.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool copy_text(char **to, const char *from) {
  *to = from ? strdup(from) : NULL;
  return !from || *to;
}

static bool copy_request(Job *job, const JobSpec *spec) {
  size_t size = spec->body_length + 1;
  if (!spec->body)
    return true;
  job->body = malloc(size > JOB_ID_ROOM + 1 ? size : JOB_ID_ROOM + 1);
  job->body_length = (uint32_t)spec->body_length;
  if (!job->body)
    return false;
  memcpy(job->body, spec->body, spec->body_length);
  job->body[spec->body_length] = '\0';
  return true;
}

static bool copy_references(Job *job, const JobSpec *spec) {
  if (spec->reference_count == 0)
    return true;
  job->references = calloc(spec->reference_count, sizeof *job->references);
  if (!job->references)
    return false;
  for (; job->reference_count < spec->reference_count; job->reference_count++) {
    char *copy = strdup(spec->references[job->reference_count]);
    if (!copy)
      return false;
    job->references[job->reference_count] = copy;
  }
  return true;
}

static bool copy_entry(Job *job, const Account *account, const JobSpec *spec) {
  job->again = spec->again;
  if (!account->ledger || !spec->entry || !spec->body)
    return true;
  job->entry = ledger_entry_copy(spec->entry);
  return job->entry != NULL;
}

static bool copy_spec(Job *job, const Account *account, const JobSpec *spec) {
  return copy_text(&job->id, spec->service_id) && copy_request(job, spec) &&
         copy_references(job, spec) && copy_text(&job->former, spec->former) &&
         copy_text(&job->earlier_id, spec->earlier_id) &&
         copy_entry(job, account, spec);
}

/* A job and, behind it, its key.  One that was made before is known to the
 * ledger by that. */
static Job *new_job(const char *key) {
  size_t size = key ? strlen(key) + 1 : 0;
  Job *job = calloc(1, sizeof *job + size);
  if (job && key)
    job->idempotency_key = memcpy(job + 1, key, size);
  return job;
}

Op *engine_job(Engine *engine, Account *account, const JobSpec *spec,
               uintptr_t owner) {
  Job *job = new_job(spec->idempotency_key);
  if (!job)
    return NULL;
  if (!copy_spec(job, account, spec)) {
    job_type.free(&job->op);
    free(job);
    return NULL;
  }
  job->has_listener = spec->has_listener;
  job->hearsay = spec->hearsay;
  job->earlier_paid = spec->earlier_paid;
  job_state_init(&job->state, spec->mode, &account->settings.state,
                 &account->quota, spec->key_is_known,
                 clock_monotonic() + spec->timeout);
  job->state.class = (uint8_t)spec->class;
  job->state.check = spec->reference_count > 0;
  job->state.sent = job->state.maybe_charged = spec->maybe_charged;
  return engine_start_op(engine, &job->op, &job_type, account, owner);
}
