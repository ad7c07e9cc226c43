/*
 * The bench of learned polls: how long a job that is done waits for its poll in
 * services that do not exist, exactly; and what a plan takes.  Prints lines of
 * a name and a number.
 */
#include "learning.h"

#include "engine/core/forecast.h"

#include <stdio.h>
#include <time.h>

#define PLANS 500
#define PAUSES 2000000

static double cpu_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Not among the worlds of the tests: jobs that end within a few polls. */
static const World brief = {"log-normal 3 s, 0.25", {{1, 3, 0.25}, NO_MORE}};

static void print_world(const World *world, size_t number) {
  static const unsigned jobs[] = {20, 100};
  Cost loop = loop_cost(world);
  double covered;
  printf("world_%zu_loop_lag %.4f\n", number, loop.lag);
  printf("world_%zu_loop_polls %.4f\n", number, loop.polls);
  for (size_t k = 0; k < COUNT(jobs); k++) {
    Cost cost = expect_after(world, jobs[k] - 1, &covered);
    printf("world_%zu_lag_%u %.4f\n", number, jobs[k], cost.lag);
    printf("world_%zu_polls_%u %.4f\n", number, jobs[k], cost.polls);
  }
  printf("world_%zu_covered %.4f\n", number, covered);
}

/* What a client takes for what it learns: at first, then for each sheet. */
static void print_sizes(void) {
  printf("book_bytes %zu\n", sizeof(PollBook));
  printf("sheet_bytes %zu\n", sizeof(PollSheet));
  printf("forecasts_bytes %zu\n", POLL_CLASSES * sizeof(Forecast));
}

/* Of a class of which as much is known as can be. */
static void print_times(void) {
  static PollBook book;
  Outlook outlook;
  double began, sum = 0;
  poll_book_init(&book, 1, 1);
  for (unsigned i = 0; i < DURATIONS_MAX; i++)
    poll_book_add(&book, CLASS,
                  seen_as(1e4 * i, 10 + (i * 37 % DURATIONS_MAX) / 4.0));
  began = cpu_now();
  for (int i = 0; i < PLANS; i++) {
    book.stale[CLASS] = true;
    book.all->stale = true;
    book.all->plan.rate = 0; /* as the first one, which takes longest */
    poll_book_plan(&book, CLASS, 1e9 + 2 * i, &outlook);
  }
  printf("plan_us %.1f\n", (cpu_now() - began) / PLANS * 1e6);
  began = cpu_now();
  for (int i = 0; i < PAUSES; i++)
    sum += poll_plan_pause(book.plans[CLASS], i % 600 / 10.0, 0.5);
  printf("pause_ns %.1f\n", (cpu_now() - began) / PAUSES * 1e9);
  printf("pause_mean %.3f\n", sum / PAUSES);
  poll_book_free(&book);
}

int main(void) {
  for (size_t i = 0; i < COUNT(worlds); i++)
    print_world(&worlds[i], i + 1);
  print_world(&brief, COUNT(worlds) + 1);
  print_sizes();
  print_times();
  return 0;
}
