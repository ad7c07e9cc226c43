/* Making a job from its spec: engine_job, the host's side of job.c. */
#include "clock.h"
#include "job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ID_ROOM 128 /* bytes that any job has for its id */

bool job_set_id(Job *job, const char *id, size_t length) {
  char *fitting;
  if (length > ID_ROOM && length > job->body_length) {
    fitting = realloc(job->body, length + 1);
    if (!fitting)
      return false;
    job->body = fitting;
  }
  memcpy(job->body, id, length);
  job->body[length] = '\0';
  job->id = job->body;
  job->body = NULL;
  fitting = realloc(job->id, length + 1);
  if (fitting)
    job->id = fitting;
  return true;
}

static bool copy_id(Job *job, const JobSpec *spec) {
  job->id = spec->service_id ? strdup(spec->service_id) : NULL;
  return !spec->service_id || job->id;
}

static bool copy_request(Job *job, const JobSpec *spec) {
  size_t size = spec->body_length + 1;
  if (!spec->body)
    return true;
  job->body = malloc(size > ID_ROOM + 1 ? size : ID_ROOM + 1);
  job->body_length = spec->body_length;
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

static bool copy_former(Job *job, const JobSpec *spec) {
  job->former = spec->former ? strdup(spec->former) : NULL;
  return !spec->former || job->former;
}

static bool copy_entry(Job *job, const Account *account, const JobSpec *spec) {
  job->again = spec->again;
  if (!account->ledger || !spec->entry || !spec->body)
    return true;
  job->entry = ledger_entry_copy(spec->entry);
  return job->entry != NULL;
}

static bool copy_spec(Job *job, const Account *account, const JobSpec *spec) {
  return copy_id(job, spec) && copy_request(job, spec) &&
         copy_references(job, spec) && copy_former(job, spec) &&
         copy_entry(job, account, spec);
}

/* A job and, behind it, its key.  One that was made before is known to the
 * ledger by that. */
static Job *new_job(const char *key) {
  size_t size = key ? strlen(key) + 1 : 0;
  Job *job = calloc(1, sizeof *job + size);
  if (job && key)
    job->key = memcpy(job + 1, key, size);
  return job;
}

Work *engine_job(Engine *engine, Account *account, const JobSpec *spec,
                 uintptr_t owner) {
  Job *job = new_job(spec->key);
  if (!job)
    return NULL;
  if (!copy_spec(job, account, spec)) {
    job_type.free(&job->work);
    free(job);
    return NULL;
  }
  job->narrate = spec->narrate;
  job->hearsay = spec->hearsay;
  job->takes_notes = account->ledger != NULL;
  flow_init(&job->flow, spec->mode, &account->settings.flow, &account->quota,
            spec->key_is_known, clock_monotonic() + spec->timeout);
  job->flow.check = spec->reference_count > 0;
  job->flow.sent = job->flow.doubt = spec->doubt;
  return engine_start_work(engine, &job->work, &job_type, account, owner);
}

void job_note_free(JobNote *note) {
  free(note->error);
  free(note->job_id);
  *note = (JobNote){0};
}

/* Without memory the ledger learns less: the raw answers are in it already. */
static void copy_note(Job *job, const JobNote *from) {
  JobNote *to = &job->note;
  if (!job->takes_notes)
    return;
  job_note_free(to);
  to->state = from->state;
  to->charged = from->charged;
  to->error = from->error ? strdup(from->error) : NULL;
  to->job_id = from->job_id ? strdup(from->job_id) : NULL;
}

bool engine_judge(Engine *engine, Work *work, FlowVerdict verdict,
                  const char *service_id, const JobNote *note) {
  Job *job = (Job *)work;
  if (work->cancelled) /* the I/O thread may be ending it: that is left alone */
    verdict = FLOW_VERDICT_AGAIN;
  else if (service_id && job->body && verdict == FLOW_VERDICT_AGAIN)
    job_set_id(job, service_id, strlen(service_id));
  job->unusable = verdict == FLOW_VERDICT_UNUSABLE;
  copy_note(job, note);
  if (verdict == FLOW_VERDICT_FINAL) {
    engine_send(engine, &work->call, COMMAND_FINAL);
    return true;
  }
  engine_send(engine, &work->call, COMMAND_AGAIN);
  return false;
}
