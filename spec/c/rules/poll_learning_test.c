/* Learning when to poll: how soon it is better than the documented loop, what
 * it does when the service changes, and whether its outlook is honest. */
#include "worlds.h"

#include "engine/rules/poll_book.h"

#define HISTORIES 30

/* A client with one class of jobs, which come one by one. */
typedef struct Client {
  PollBook book;
  Outlook outlook;
  double now;
  uint64_t seed;
} Client;

#define CLASS 1 /* text to image, one */

static void start(Client *client, unsigned history) {
  poll_book_init(&client->book, 1, 1);
  client->outlook = (Outlook){{0}};
  client->now = 0;
  client->seed = 88172645463325252u + 7919u * history;
}

static double pause_of(Client *client, double age) {
  const PollPlan *plan = &client->book.plans[CLASS];
  double random = random_unit(&client->seed);
  if (plan->count)
    return poll_plan_pause(plan, age, random);
  return (age > 0 ? 2.5 : 2) * (0.85 + 0.3 * random);
}

static void make_plan(Client *client) {
  client->now += 10;
  poll_book_plan(&client->book, CLASS, client->now, &client->outlook);
}

/* One job that takes `seconds`: what it cost.  The client sees no more of it
 * than its polls do. */
static Cost do_job(Client *client, double seconds) {
  Cost cost = {0, 0};
  double age = 0, before = 0;
  while (age < seconds) {
    before = age;
    cost.polls += 1;
    age += pause_of(client, age);
  }
  cost.lag = age - seconds;
  poll_book_add(&client->book, CLASS, client->now, (before + age) / 2);
  client->now += age;
  return cost;
}

static void do_jobs(Client *client, const World *world, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    if (i < 20 || i % 5 == 0)
      make_plan(client);
    do_job(client, world_draw(world, &client->seed));
  }
  make_plan(client);
}

/* ---- services that stay as they are ---- */

/* What the job after `jobs` others costs on average, exactly; and the share of
 * jobs that end within the outlook's p90. */
static Cost expect_after(const World *world, unsigned jobs, double *covered) {
  Cost sum = {0, 0};
  *covered = 0;
  for (unsigned i = 0; i < HISTORIES; i++) {
    static Client client;
    Cost cost;
    start(&client, i);
    do_jobs(&client, world, jobs);
    cost = world_cost(world, poll_plan_pause, &client.book.plans[CLASS], 0.5);
    sum.lag += cost.lag / HISTORIES;
    sum.polls += cost.polls / HISTORIES;
    *covered += (1 - world_runs(world, outlook_left(&client.outlook, 0, 0.1))) /
                HISTORIES;
  }
  return sum;
}

/* Of the loop's lag, as it was wanted: for 20 jobs and 100 in the first world,
 * and nowhere worse than the loop after 40. */
static void twenty_jobs_teach_most_of_it(void **state) {
  static const struct {
    unsigned jobs;
    double lag[COUNT(worlds)];
  } rows[] = {{19, {0.66, 0.42, 1, 0.72, 0.68}},
              {40, {0.65, 0.40, 0.95, 0.68, 0.66}},
              {99, {0.64, 0.38, 0.93, 0.66, 0.64}}};
  (void)state;
  for (size_t k = 0; k < COUNT(rows); k++)
    for (size_t i = 0; i < COUNT(worlds); i++) {
      Cost loop = loop_cost(&worlds[i]);
      double covered;
      Cost cost = expect_after(&worlds[i], rows[k].jobs, &covered);
      check(cost.lag < rows[k].lag[i] * loop.lag, "%s after %u: lag %.3f",
            worlds[i].name, rows[k].jobs, cost.lag / loop.lag);
      check(cost.polls < 1.03 * loop.polls, "%s after %u: polls %.3f",
            worlds[i].name, rows[k].jobs, cost.polls / loop.polls);
      check(covered > 0.85 && covered < 0.95, "%s after %u: p90 covers %.3f",
            worlds[i].name, rows[k].jobs, covered);
    }
}

/* ---- a service that changes ---- */

/* After 60 jobs all take `factor` as long: the mean lag of jobs `from` to `to`
 * after that, and the worst. */
static double lag_after_change(double factor, int from, int to, double *worst) {
  double sum = 0;
  *worst = 0;
  for (unsigned i = 0; i < HISTORIES; i++) {
    static Client client;
    start(&client, i);
    do_jobs(&client, &worlds[0], 60);
    for (int k = 0; k < to; k++) {
      Cost cost;
      make_plan(&client);
      cost = do_job(&client, factor * world_draw(&worlds[0], &client.seed));
      *worst = fmax(*worst, cost.lag);
      if (k >= from)
        sum += cost.lag / HISTORIES / (to - from);
    }
  }
  return sum;
}

static void a_change_is_learned_in_twenty_jobs(void **state) {
  static const struct {
    double factor, first, later; /* seconds of lag: 5 jobs, after 20 */
  } rows[] = {{2, 1, 1}, {0.5, 1.8, 0.95}, {4, 1.6, 1.15}, {0.25, 2.4, 1.1}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    double worst;
    double first = lag_after_change(rows[i].factor, 0, 5, &worst);
    double later = lag_after_change(rows[i].factor, 20, 40, &worst);
    check(first < rows[i].first && later < rows[i].later && worst <= 10,
          "%g times as long: %.2f s, then %.2f s, at worst %.2f s",
          rows[i].factor, first, later, worst);
  }
}

/* What stays as it is, is not forgotten, whatever it looks like. */
static void chance_is_no_change(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(worlds); i++) {
    unsigned kept = 0;
    for (unsigned k = 0; k < HISTORIES; k++) {
      Durations known = {0};
      uint64_t seed = 1 + k;
      for (int n = 0; n < 200; n++)
        durations_add(&known, 1e4 * n, world_draw(&worlds[i], &seed));
      kept += known.count == DURATIONS_MAX;
    }
    check(kept >= 0.8 * HISTORIES, "%s: only %u", worlds[i].name, kept);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(twenty_jobs_teach_most_of_it),
      cmocka_unit_test(a_change_is_learned_in_twenty_jobs),
      cmocka_unit_test(chance_is_no_change),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
