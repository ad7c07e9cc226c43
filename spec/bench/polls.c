/*
 * The bench of learned polls: how long a job that is done waits for its poll in
 * services that do not exist, exactly; and what a plan takes.  Prints lines of
 * a name and a number.
 */
#include "learning.h"

#include <stdio.h>
#include <time.h>

#define PLANS 500
#define PAUSES 2000000

static double cpu_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_world(size_t i) {
  static const unsigned jobs[] = {20, 100};
  Cost loop = loop_cost(&worlds[i]);
  double covered;
  printf("world_%zu_loop_lag %.4f\n", i + 1, loop.lag);
  printf("world_%zu_loop_polls %.4f\n", i + 1, loop.polls);
  for (size_t k = 0; k < COUNT(jobs); k++) {
    Cost cost = expect_after(&worlds[i], jobs[k] - 1, &covered);
    printf("world_%zu_lag_%u %.4f\n", i + 1, jobs[k], cost.lag);
    printf("world_%zu_polls_%u %.4f\n", i + 1, jobs[k], cost.polls);
  }
  printf("world_%zu_covered %.4f\n", i + 1, covered);
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
    print_world(i);
  print_times();
  return 0;
}
