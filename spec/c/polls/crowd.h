/*
 * A client whose jobs run side by side, in a world where an answer takes no
 * time: what its polls cost, and what it thinks of the next job.
 */
#ifndef GPTIMAGE2_C_CROWD_H
#define GPTIMAGE2_C_CROWD_H

#include "learning.h"

#define CROWD_MOST 200

typedef struct Running {
  double began, seconds, before,
      next; /* times of the last poll, and the next */
  unsigned polls;
} Running;

/* Of the jobs that have ended since it was last cleared, ours and the loop's
 * that polls every 2.5 s; and of one of them at most. */
typedef struct Tally {
  unsigned jobs, most;
  Cost ours, loop;
} Tally;

typedef struct Crowd {
  Client client; /* first: it is started, and freed, by itself */
  Tally tally;
  unsigned count;
  Running jobs[CROWD_MOST];
} Crowd;

static inline void crowd_start(Crowd *crowd, unsigned history) {
  poll_book_free(&crowd->client.book);
  *crowd = (Crowd){0};
  start(&crowd->client, history);
}

static inline void crowd_plan(Crowd *crowd) {
  poll_book_plan(&crowd->client.book, CLASS, crowd->client.now,
                 &crowd->client.outlook);
}

static inline void crowd_begin(Crowd *crowd, double seconds) {
  double now = crowd->client.now += 1e-3; /* one create after the other */
  Running *job = &crowd->jobs[crowd->count++];
  crowd_plan(crowd);
  *job = (Running){.began = now, .seconds = seconds};
  job->next = now + pause_of(&crowd->client, 0, 0);
  poll_book_add(&crowd->client.book, CLASS, (Duration){now, 0, DURATION_OPEN});
}

static inline void crowd_count(Crowd *crowd, const Running *job) {
  Tally *tally = &crowd->tally;
  double polls = ceil(job->seconds / 2.5);
  tally->jobs++;
  tally->most = job->polls > tally->most ? job->polls : tally->most;
  tally->ours.polls += job->polls;
  tally->ours.lag += job->next - job->began - job->seconds;
  tally->loop.polls += polls;
  tally->loop.lag += 2.5 * polls - job->seconds;
}

/* The next poll of any: true when its job has ended. */
static inline bool crowd_poll(Crowd *crowd) {
  PollBook *book = &crowd->client.book;
  Running *job = crowd->jobs;
  double age;
  for (unsigned i = 1; i < crowd->count; i++)
    job = crowd->jobs[i].next < job->next ? &crowd->jobs[i] : job;
  crowd->client.now = fmax(crowd->client.now, job->next);
  age = job->next - job->began;
  job->polls++;
  crowd_plan(crowd);
  if (age >= job->seconds) {
    poll_book_update(book, CLASS,
                     (Duration){job->began, (float)job->before, (float)age});
    crowd_plan(crowd);
    crowd_count(crowd, job);
    *job = crowd->jobs[--crowd->count];
    return true;
  }
  poll_book_update(book, CLASS,
                   (Duration){job->began, (float)age, DURATION_OPEN});
  job->before = age;
  job->next += pause_of(&crowd->client, age, job->polls);
  return false;
}

/* Jobs of that world and `factor` times as long, `side` of them at a time,
 * until `ends` have ended. */
static inline void crowd_run(Crowd *crowd, const World *world, double factor,
                             unsigned side, unsigned ends) {
  while (ends > 0) {
    while (crowd->count < side && crowd->count < ends)
      crowd_begin(crowd, factor * world_draw(world, &crowd->client.seed));
    ends -= crowd_poll(crowd);
  }
}

static inline double crowd_middle(const Crowd *crowd) {
  return outlook_left(&crowd->client.outlook, 0, 0.5);
}

#endif
