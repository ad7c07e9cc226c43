/*
 * Connections that wait before they are answered. The thread here sleeps
 * until the next one is due. A waiter is unlisted before its connection is
 * resumed, since its memory may be gone right after; and no connection is
 * suspended or resumed under the lock, since MHD has locks of its own.
 */
#include "delays.h"

#include <math.h>
#include <time.h>

#include "engine/base/platform.h"

double delays_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Unlists a waiter that is due by `now`; NULL if there is none. */
static struct MHD_Connection *take_due(Delays *delays, double now) {
  for (Delay **at = &delays->first; *at; at = &(*at)->next) {
    if ((*at)->until <= now) {
      struct MHD_Connection *connection = (*at)->connection;
      *at = (*at)->next;
      return connection;
    }
  }
  return NULL;
}

static void sleep_until_next(Delays *delays) {
  double next = INFINITY;
  for (Delay *delay = delays->first; delay; delay = delay->next)
    next = fmin(next, delay->until);
  if (isinf(next)) {
    pthread_cond_wait(&delays->changed, &delays->lock);
    return;
  }
  platform_wait_until(&delays->changed, &delays->lock, next);
}

static void *run(void *cls) {
  Delays *delays = cls;
  pthread_mutex_lock(&delays->lock);
  for (;;) {
    double now = delays->closed ? INFINITY : delays_clock();
    struct MHD_Connection *due = take_due(delays, now);
    if (due) {
      pthread_mutex_unlock(&delays->lock);
      MHD_resume_connection(due);
      pthread_mutex_lock(&delays->lock);
    } else if (delays->closed) {
      break;
    } else {
      sleep_until_next(delays);
    }
  }
  pthread_mutex_unlock(&delays->lock);
  return NULL;
}

bool delays_start(Delays *delays) {
  *delays = (Delays){0};
  platform_condition_init(&delays->changed);
  pthread_mutex_init(&delays->lock, NULL);
  if (pthread_create(&delays->thread, NULL, run, delays) != 0) {
    delays_free(delays);
    return false;
  }
  return true;
}

void delays_hold(Delays *delays, Delay *delay,
                 struct MHD_Connection *connection, double seconds) {
  delay->connection = connection;
  delay->until = delays_clock() + seconds;
  MHD_suspend_connection(connection);
  pthread_mutex_lock(&delays->lock);
  bool closed = delays->closed;
  if (!closed) {
    delay->next = delays->first;
    delays->first = delay;
    pthread_cond_signal(&delays->changed);
  }
  pthread_mutex_unlock(&delays->lock);
  if (closed)
    MHD_resume_connection(connection);
}

bool delays_closed(Delays *delays) {
  pthread_mutex_lock(&delays->lock);
  bool closed = delays->closed;
  pthread_mutex_unlock(&delays->lock);
  return closed;
}

void delays_stop(Delays *delays) {
  pthread_mutex_lock(&delays->lock);
  delays->closed = true;
  pthread_cond_signal(&delays->changed);
  pthread_mutex_unlock(&delays->lock);
  pthread_join(delays->thread, NULL);
}

void delays_free(Delays *delays) {
  pthread_cond_destroy(&delays->changed);
  pthread_mutex_destroy(&delays->lock);
}
