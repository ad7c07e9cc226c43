/*
 * Connections that wait before they are answered. The thread here sleeps
 * until the next one is due. A waiter is unlisted before its connection is
 * resumed, since its memory may be gone right after; and no connection is
 * suspended or resumed under the lock, since MHD has locks of its own.
 */
#include "waiting.h"

#include <math.h>
#include <time.h>

double waiting_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Unlists a waiter that is due by `now`; NULL if there is none. */
static struct MHD_Connection *take_due(Waiting *waiting, double now) {
  for (Waiter **at = &waiting->first; *at; at = &(*at)->next) {
    if ((*at)->until <= now) {
      struct MHD_Connection *connection = (*at)->connection;
      *at = (*at)->next;
      return connection;
    }
  }
  return NULL;
}

static void sleep_until_next(Waiting *waiting) {
  double next = INFINITY;
  for (Waiter *waiter = waiting->first; waiter; waiter = waiter->next)
    next = fmin(next, waiter->until);
  if (isinf(next)) {
    pthread_cond_wait(&waiting->changed, &waiting->lock);
    return;
  }
  struct timespec until = {.tv_sec = (time_t)next};
  until.tv_nsec = (long)((next - floor(next)) * 1e9);
  pthread_cond_timedwait(&waiting->changed, &waiting->lock, &until);
}

static void *run(void *cls) {
  Waiting *waiting = cls;
  pthread_mutex_lock(&waiting->lock);
  for (;;) {
    double now = waiting->closed ? INFINITY : waiting_clock();
    struct MHD_Connection *due = take_due(waiting, now);
    if (due) {
      pthread_mutex_unlock(&waiting->lock);
      MHD_resume_connection(due);
      pthread_mutex_lock(&waiting->lock);
    } else if (waiting->closed) {
      break;
    } else {
      sleep_until_next(waiting);
    }
  }
  pthread_mutex_unlock(&waiting->lock);
  return NULL;
}

bool waiting_start(Waiting *waiting) {
  pthread_condattr_t attributes;
  *waiting = (Waiting){0};
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&waiting->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_init(&waiting->lock, NULL);
  if (pthread_create(&waiting->thread, NULL, run, waiting) != 0) {
    waiting_free(waiting);
    return false;
  }
  return true;
}

void waiting_hold(Waiting *waiting, Waiter *waiter,
                  struct MHD_Connection *connection, double seconds) {
  waiter->connection = connection;
  waiter->until = waiting_clock() + seconds;
  MHD_suspend_connection(connection);
  pthread_mutex_lock(&waiting->lock);
  bool closed = waiting->closed;
  if (!closed) {
    waiter->next = waiting->first;
    waiting->first = waiter;
    pthread_cond_signal(&waiting->changed);
  }
  pthread_mutex_unlock(&waiting->lock);
  if (closed)
    MHD_resume_connection(connection);
}

bool waiting_closed(Waiting *waiting) {
  pthread_mutex_lock(&waiting->lock);
  bool closed = waiting->closed;
  pthread_mutex_unlock(&waiting->lock);
  return closed;
}

void waiting_stop(Waiting *waiting) {
  pthread_mutex_lock(&waiting->lock);
  waiting->closed = true;
  pthread_cond_signal(&waiting->changed);
  pthread_mutex_unlock(&waiting->lock);
  pthread_join(waiting->thread, NULL);
}

void waiting_free(Waiting *waiting) {
  pthread_cond_destroy(&waiting->changed);
  pthread_mutex_destroy(&waiting->lock);
}
