/*
 * A client that learns when to poll in one of the worlds, and what its next job
 * costs there.
 */
#ifndef GPTIMAGE2_C_LEARNING_H
#define GPTIMAGE2_C_LEARNING_H

#include "worlds.h"

#include "engine/polls/poll_book.h"

#define HISTORIES 20

/* A client with one class of jobs, which come one by one. */
typedef struct Client {
  PollBook book;
  Outlook outlook;
  double now;
  uint64_t seed;
} Client;

#define CLASS 1 /* text to image, one */

static inline void start(Client *client, unsigned history) {
  poll_book_free(&client->book);
  poll_book_init(&client->book, 1, 1);
  client->outlook = (Outlook){{0}};
  client->now = 0;
  client->seed = 88172645463325252u + 7919u * history;
}

/* Of a job that was polled so often. */
static inline double pause_of(Client *client, double age, unsigned polls) {
  const PollPlan *plan = client->book.plans[CLASS];
  double random = random_unit(&client->seed);
  if (plan)
    return poll_plan_next(plan, age, polls, random);
  return (age > 0 ? 2.5 : 2) * (0.85 + 0.3 * random);
}

static inline void make_plan(Client *client) {
  client->now += 10;
  poll_book_plan(&client->book, CLASS, client->now, &client->outlook);
}

/* One job that takes `seconds`: what it cost.  The client sees no more of it
 * than its polls do. */
static inline Cost do_job(Client *client, double seconds) {
  Cost cost = {0, 0};
  double age = 0, before = 0;
  while (age < seconds) {
    before = age;
    age += pause_of(client, age, (unsigned)cost.polls);
    cost.polls += 1;
  }
  cost.lag = age - seconds;
  poll_book_add(&client->book, CLASS,
                (Duration){client->now, (float)before, (float)age});
  client->now += age;
  return cost;
}

static inline void do_jobs(Client *client, const World *world, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    if (i < 20 || i % 5 == 0)
      make_plan(client);
    do_job(client, world_draw(world, &client->seed));
  }
  make_plan(client);
}

/* What the job after `jobs` others costs on average, exactly; and the share of
 * jobs that end within the outlook's p90. */
static inline Cost expect_after(const World *world, unsigned jobs,
                                double *covered) {
  Cost sum = {0, 0};
  *covered = 0;
  for (unsigned i = 0; i < HISTORIES; i++) {
    static Client client;
    Cost cost;
    start(&client, i);
    do_jobs(&client, world, jobs);
    cost = world_cost(world, poll_plan_pause, client.book.plans[CLASS], 0.5);
    sum.lag += cost.lag / HISTORIES;
    sum.polls += cost.polls / HISTORIES;
    *covered += (1 - world_runs(world, outlook_left(&client.outlook, 0, 0.1))) /
                HISTORIES;
  }
  return sum;
}

#endif
