/* Whose turn it is: see turn.h. */
#include "turn.h"

void turn_join(Job *job) {
  Account *account = job->work.account;
  job->waiting = true;
  job->ahead = account->last_waiting;
  job->behind = NULL;
  if (account->last_waiting)
    account->last_waiting->behind = job;
  else
    account->first_waiting = job;
  account->last_waiting = job;
}

static void unlink_job(Job *job) {
  Account *account = job->work.account;
  if (job->ahead)
    job->ahead->behind = job->behind;
  else
    account->first_waiting = job->behind;
  if (job->behind)
    job->behind->ahead = job->ahead;
  else
    account->last_waiting = job->ahead;
  job->waiting = false;
}

void turn_take(Job *job) {
  job->active = true;
  job->work.account->active++;
}

void turn_leave(Job *job) {
  if (job->waiting)
    unlink_job(job);
  if (!job->active)
    return;
  job->active = false;
  job->work.account->active--;
}

/* A job may end while it begins and come back here: the outer call goes on. */
void turn_advance(Account *account) {
  if (account->advancing)
    return;
  account->advancing = true;
  while (account->first_waiting &&
         account->active < account->settings.max_active) {
    Job *job = account->first_waiting;
    unlink_job(job);
    turn_take(job);
    job_begin(job);
  }
  account->advancing = false;
}
